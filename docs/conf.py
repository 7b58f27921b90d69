"""How Sphinx builds the site: ``uv run --group docs sphinx-build -W docs docs/_build/html``."""

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))  # the extensions and the notebooks are no part of the package

import nnloss.table  # noqa: E402  # keeps TensorFlow quiet

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
release = PROJECT["version"]
repository = PROJECT["urls"]["Source"]

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
html_baseurl = PROJECT["urls"]["Documentation"]
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

# The reference: docstrings in the style of numpydoc.
extensions += [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "docs._extensions.constants",
    "docs._extensions.names",
]
html_css_files += ["reference.css"]
default_role = "py:obj"
nitpicky = True
nitpick_ignore = [
    # Types between two functions, which nobody makes.
    ("py:class", "nnloss.reproduction.printed.Log"),
    ("py:class", "nnloss.training.initial_states.Start"),
]
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_type_aliases = {
    "ArrayLike": "~numpy.typing.ArrayLike",
    # Imported for the type checker alone.
    "EpochProgress": "~nnloss.EpochProgress",
    "Figure": "~matplotlib.figure.Figure",
    "Loss": "~nnloss.table.Loss",
    "pd.DataFrame": "~pandas.DataFrame",
}
# Counted before modules are left out of the types.
python_maximum_signature_line_length = 110
numpydoc_show_class_members = False
# All checks but those of an extended summary, See Also and Examples, which a test asks of the names
# that matter, and of types of arguments that are handed on to Keras.
numpydoc_validation_checks = {"all", "ES01", "SA01", "EX01", "PR04"}
# Docstrings of one paragraph say it all; those with sections have all of them.
numpydoc_validation_overrides = {
    check: [r"\A(?![\s\S]*\n\s*-{4,})"] for check in ("PR01", "RT01", "YD01")
}
KERAS = [
    line.split()[0]
    for line in (DOCS / "_inventories" / "keras.inv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
# Types of parameters are words; those that name a class become links.
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {
    name.rpartition(".")[2]: name
    for name in (
        *(f"nnloss.{name}" for name in nnloss.__all__ if name[0].isupper()),
        *(f"nnloss.table.{name}" for name in nnloss.table.__all__ if name not in nnloss.__all__),
        "nnloss.reproduction.Configuration",
        "nnloss.reproduction.Outcome",
        "nnloss.reproduction.SweepFolder",
        "nnloss.reproduction.Unit",
        "nnloss.reproduction.results.Results",
        "nnloss.theory.Claim",
        "nnloss.theory.pairings.Pairing",
        "matplotlib.figure.Figure",
        "numpy.ndarray",
        "pandas.DataFrame",
        "pathlib.Path",
    )
} | {
    **{name: f":obj:`{name}`" for name in KERAS},
    "array_like": "numpy.typing.ArrayLike",
    "bool": ":class:`python:bool`",
    "iterable": "collections.abc.Iterable",
    "mapping": "collections.abc.Mapping",
    "path": "os.PathLike",
    "sequence": "collections.abc.Sequence",
    "ValueError": ":obj:`ValueError`",
}
# Pages that others keep: plain text files in the format of Sphinx 0.5, with the names that we use.
# A build needs no network, and Keras has no such file.
intersphinx_mapping = {
    name: (address, f"_inventories/{name}.inv")
    for name, address in {
        "keras": "https://keras.io/api/",
        "matplotlib": "https://matplotlib.org/stable/",
        "numpy": "https://numpy.org/doc/stable/",
        "pandas": "https://pandas.pydata.org/docs/",
        "python": "https://docs.python.org/3/",
        "sklearn": "https://scikit-learn.org/stable/",
    }.items()
}
