"""How Sphinx builds the site: ``uv run --group docs sphinx-build -W docs docs/_build/html``."""

import importlib.metadata
import shutil
from pathlib import Path

import nnloss  # noqa: F401  # keeps TensorFlow quiet

DOCS = Path(__file__).parent
ROOT = DOCS.parent

project = "nnloss"
author = "The nnloss authors"
release = importlib.metadata.version("nnloss")

extensions = ["myst_nb"]
exclude_patterns = ["_build", "exam_sheet"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# The committed notebooks are executed already, so that a build needs neither data nor time.
nb_execution_mode = "off"

html_theme = "furo"
html_title = "nnloss"
html_extra_path = ["exam_sheet.html", "exam_sheet.pdf", "../results/report.html"]

# Sphinx reads sources in its own folder only.
LABS = DOCS / "labs"
LABS.mkdir(exist_ok=True)
for notebook in (ROOT / "notebooks").glob("*.ipynb"):
    shutil.copy(notebook, LABS)
