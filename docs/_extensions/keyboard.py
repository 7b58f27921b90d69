"""Let the keyboard scroll code, tables and formulas, and mend what confuses screen readers."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

NAMES = {"table-wrapper": "Table", "math-wrapper": "Formula", "output text_html": "Table"}


def focusable(body: str) -> str:
    """Return the HTML of a page with its scrollable regions in the order of the Tab key."""
    body = body.replace("<pre>", '<pre tabindex="0">')
    return re.sub(
        f'<div class="({"|".join(NAMES)})',
        lambda found: (
            f'<div tabindex="0" role="group" aria-label="{NAMES[found[1]]}" class="{found[1]}'
        ),
        body,
    )


def change(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Change the body of a page and its contents before its template is filled in."""
    if "body" in context:
        body = focusable(context["body"])
        # A long signature is a list of definitions without terms.
        context["body"] = re.sub(r"<dl>(?=\s*<dd>)", '<dl role="presentation">', body)
    contents = context["furo_navigation_tree"]
    # A heading has a level.
    leveled = contents.replace('role="heading"', 'role="heading" aria-level="2"')
    context["furo_navigation_tree"] = leveled


def setup(app: Sphinx) -> dict[str, bool]:
    """Change each page."""
    app.connect("html-page-context", change, priority=600)  # after Furo
    return {"parallel_read_safe": True, "parallel_write_safe": True}
