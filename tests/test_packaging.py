"""What is declared about the package agrees with its files."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Imported only where it is there already: in a notebook, or on another backend of Keras.
OPTIONAL = {"IPython", "jax", "torch"}


def names(requirements: list[str]) -> set[str]:
    """Return the names of distributions, normalised."""
    return {re.match(r"[\w.-]+", each)[0].lower().replace("_", "-") for each in requirements}


def test_what_is_imported_is_declared():
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - OPTIONAL - {"nnloss"}
    extras = PROJECT["optional-dependencies"]["cluster"]
    declared = names(PROJECT["dependencies"] + extras)
    known = packages_distributions() | {"distributed": ["distributed"]}
    assert {module for module in foreign if not names(known[module]) & declared} == set()


def test_each_dependency_is_pinned():
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert names(PROJECT["dependencies"]) <= names(pins)


@pytest.mark.parametrize(
    ("file", "pattern"),
    [("CITATION.cff", r"^version: (.+)$"), ("CHANGELOG.md", r"^## \[(.+)\] - ")],
)
def test_the_version_is_the_same_everywhere(file, pattern):
    found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert found[1] == PROJECT["version"]
