"""Make pages of the committed notebooks, which a build does not execute."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from notebooks.__main__ import FOLDER, INSTALL, LABS, is_stale

LINKS = """

Download the {{download}}`notebook <../../notebooks/{name}.ipynb>`
or its {{download}}`source <../../exercises/{name}.py>`.
"""

logger = logging.getLogger(__name__)


def page(path: Path) -> str:
    """Return a notebook as the site shows it: with links, and without the cell of Colab.

    Raises
    ------
    sphinx.errors.ExtensionError
        If one of its cells raised.
    """
    notebook = nbformat.read(path, 4)
    introduction = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
    introduction.source += LINKS.format(name=path.stem)
    for cell in notebook.cells:
        if cell.source == INSTALL:
            cell.metadata.tags = ["remove-cell"]
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                raise ExtensionError(
                    f"labs/{path.stem}: The cells of a notebook must run without an error; found "
                    f"{output.ename}: {output.evalue} in cell {cell.execution_count}. "
                    f"Run python -m notebooks {path.stem}"
                )
    return nbformat.writes(notebook)


def copy(app: Sphinx) -> None:
    """Copy the notebooks into the folder of the sources, where alone Sphinx reads."""
    folder = app.srcdir / "labs"
    folder.mkdir(exist_ok=True)
    for lab in LABS:
        if is_stale(lab):
            raise ExtensionError(
                f"labs/{lab.stem}: A notebook must have the sources of its lab; found others. "
                f"Run python -m notebooks {lab.stem}"
            )
        text = page(FOLDER / f"{lab.stem}.ipynb")
        target = folder / f"{lab.stem}.ipynb"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Use the caption of a figure, the emphasised output after it, as its alternative text."""
    outputs = doctree.findall(
        lambda node: isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"
    )
    for output, following in pairwise(outputs):
        for image in output.findall(nodes.image):
            for caption in following.findall(nodes.emphasis):
                image["alt"] = caption.astext()
    for image in doctree.findall(nodes.image):
        if not image.get("alt"):
            logger.warning("An image must have an alternative text", location=image)


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy before Sphinx looks for sources, and describe what it has read."""
    app.connect("builder-inited", copy)
    app.connect("doctree-read", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
