"""Numbers of the README and of `docs/`, from the committed runs.

``uv run python results/readme.py`` writes them. Each block between ``<!-- numbers: NAME -->`` and
``<!-- end -->`` is the result of the function NAME in `blocks`. With ``--check`` nothing is
written, and the exit status is 1 if a block differs; a test runs this check.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from blocks import BLOCKS

ROOT = Path(__file__).resolve().parents[1]
PAGES = "README.md", "docs/results.md", "docs/speed.md", "docs/order-of-rows.md"
BLOCK = re.compile(r"(<!-- numbers: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str, page: str) -> str:
    """Return the text of a page with every block filled in; blocks name files as the README."""
    up = "../" * page.count("/")

    def block(match: re.Match[str]) -> str:
        found = re.sub(r"(?<=\]\()(?=results/|benchmarks/)", up, BLOCKS[match[2]]())
        return match[1] + found + match[3]

    return BLOCK.sub(block, text)


def main(*arguments: str) -> int:
    """Write the pages, or check them with ``--check``, and return the exit status."""
    status = 0
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        new = written(text, page)
        if "--check" in arguments:
            status |= new != text
        else:
            path.write_text(new, encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
