"""How Sphinx builds the site: ``uv run --group docs sphinx-build -W docs docs/_build/html``."""

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))  # the extensions and the notebooks are no part of the package

import nnloss  # noqa: E402, F401  # keeps TensorFlow quiet

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
release = PROJECT["version"]
repository = PROJECT.get("urls", {}).get("Source", "")

extensions = [
    "myst_nb",
    "docs._extensions.files",
    "docs._extensions.keyboard",
    "docs._extensions.labs",
    "docs._extensions.mathml",
    "docs._extensions.report",
]
exclude_patterns = ["_build", "exam_sheet"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# The committed notebooks are executed already, so that a build needs neither data nor time.
nb_execution_mode = "off"

html_theme = "furo"
html_title = f"nnloss {release}"
html_baseurl = PROJECT.get("urls", {}).get("Documentation", "")
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
# The report has the name of a page, and would replace it elsewhere.
html_static_path = ["_static", "../results/report.html"]
html_extra_path = ["exam_sheet.html", "exam_sheet.pdf"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
# Summaries are fetched, which a browser refuses to pages that are opened from a folder.
html_show_search_summary = False
# These two have contrast enough; the background of the light one is hardly one.
html_theme_options = {"light_css_variables": {"color-code-background": "#f4f5f7"}}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
