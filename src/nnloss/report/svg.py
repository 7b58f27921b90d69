"""Matplotlib figures as inline SVG, in the colours and the font of an HTML page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from nnloss.errors import printable
from nnloss.plots.style import BLUE, GREY, LINE, ORANGE

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
#: Colours that the style sheet defines for light, dark and printed pages.
_COLOURS = {
    "#000000": "currentColor",
    BLUE.lower(): "var(--blue)",
    ORANGE.lower(): "var(--orange)",
    GREY.lower(): "var(--grey)",
    LINE: "var(--line)",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the font of the page
    "svg.hashsalt": "nnloss",  # equal figures give equal bytes
    "text.parse_math": False,  # a dollar sign in a name does not start a formula
    "font.size": 10,
    "axes.labelsize": "medium",
    "legend.fontsize": "medium",
    "axes.linewidth": 0.7,
}


def inline(draw: Callable[[], Figure], name: str, alternative: str) -> Markup:
    """Return a figure as an ``<svg>`` element without size, background and font; escape its texts.

    `name` begins all ids: letters, digits and hyphens, unique on the page. `alternative` describes
    the figure for those who cannot see it.
    """
    file = io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # The page's font may have glyphs that matplotlib's font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        draw().savefig(file, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(_sound(file.getvalue()))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.removeprefix(_SVG) in ("metadata", "style"):
                parent.remove(child)
    referred = {reference for element in root.iter() for reference in _references(element)}
    for element in root.iter():
        _adapt(element, name, referred)
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-label": printable(alternative)}
    # In HTML, svg elements have no namespace prefix.
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=True))


def _sound(text: str) -> str:
    """Escape the control characters that XML does not allow, except line ends."""
    return "\n".join(line if line.isprintable() else printable(line) for line in text.split("\n"))


def _references(element: ElementTree.Element) -> list[str]:
    texts = " ".join(element.attrib.values())
    return [*re.findall(r"url\(#([^)]+)\)", texts), element.get(_HREF, "#")[1:]]


def _adapt(element: ElementTree.Element, name: str, referred: set[str]) -> None:
    """Make ids unique on the page, replace colours by variables, and round to two decimals."""
    element.tag = element.tag.removeprefix(_SVG)
    attributes: dict[str, Any] = element.attrib
    identity = attributes.pop("id", None)
    if identity in referred:
        attributes["id"] = f"{name}-{identity}"
    if _HREF in attributes:
        attributes["href"] = f"#{name}-{attributes.pop(_HREF)[1:]}"
    for key, value in attributes.items():
        if key in ("style", "fill", "stroke"):
            value = re.sub("#[0-9a-f]{6}", lambda found: _colour(found[0]), value)
            value = re.sub("font-family:[^;]*;", "", value)
        if key in ("d", "x", "y", "transform"):
            value = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", value)
        attributes[key] = value.replace("url(#", f"url(#{name}-")


def _colour(code: str) -> str:
    return _COLOURS.get(code, code)
