"""Let the report on the site lead to the folders of the sweep, which the repository has."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx


def change(app: Sphinx, exception: Exception | None) -> None:
    """Change the links of the site's copy, which leave the frame that the report is shown in."""
    path = Path(app.outdir) / "_static" / "report.html"
    if path.exists():
        folder = f'<a target="_top" href="{app.config.repository}/tree/main/results/'
        html = path.read_text(encoding="utf-8").replace('<a href="./', folder)
        path.write_text(html, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Change the copy when all is written."""
    app.add_config_value("repository", "", "html")
    app.connect("build-finished", change)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
