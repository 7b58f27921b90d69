"""List the exercises: ``python -m exercises``."""

import ast
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    print(f"python -m exercises.{path.stem:<10} {text.splitlines()[0]}")
print("Each has --help.")
