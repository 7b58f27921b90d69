"""Write formulas as MathML when the site is built: no script, no font, no other host."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

from docutils import nodes
from latex2mathml import commands
from latex2mathml.converter import convert_to_element
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
CHILDREN = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}
THIN = "0.1667em"
TILDE = "&#x0007E;"  # what latex2mathml makes of \sim: a letter, without space around it
PRIMES = {"&#x02032;", "&#x02033;"}  # are raised by themselves, not to be raised again


def mathml(latex: str, display: str = "inline") -> str:
    """Return a formula as MathML.

    Parameters
    ----------
    latex : str
        The formula, without dollars.
    display : {"inline", "block"}
        Whether it is in a line of text or has its own.

    Raises
    ------
    ValueError
        If latex2mathml does not know all of it. By itself it copies or drops what it does not know.
    """
    known = latex.replace("{aligned}", "{split}")  # the same, and latex2mathml has only one
    known = re.sub(r"\\mathrm{(\w)}", r"\\mathrm{{\1}}", known)  # it forgets the font of one letter
    try:
        element = convert_to_element(known, display=display)
        mend(element)
        # The texts of its elements are entities.
        markup = unescape(ElementTree.tostring(element, encoding="unicode"))
        wrong = mistakes(known, ElementTree.fromstring(markup))
    except Exception as error:  # it has no class of errors of its own
        wrong = [str(error) or type(error).__name__]
    if wrong:
        raise ValueError(
            f"A formula must be LaTeX that latex2mathml knows; found {latex!r}: "
            f"{', '.join(wrong)}. Write it in other commands."
        )
    return markup


def mend(element: ElementTree.Element) -> None:
    r"""Set functions, \sim and primes with the spacing and at the height that TeX gives them."""
    for each in element.iter():
        if each.tag in {"mi", "mo"} and re.fullmatch(r"[A-Za-z]{2,}", each.text or ""):
            each.tag = "mo"
            each.attrib.update(form="prefix", lspace=THIN, rspace=THIN)
        elif each.text == TILDE:
            each.tag, each.text = "mo", "\u223c"
        elif each.tag == "msup" and each[1].text in PRIMES:
            each.tag = "mrow"


def mistakes(latex: str, element: ElementTree.Element) -> list[str]:
    """Return what latex2mathml did not understand."""
    plain = re.sub(r"\\.", "", latex)
    found = ["braces without a partner"] if plain.count("{") != plain.count("}") else []
    for name in re.findall(r"\\begin{(.+?)}", latex):
        if f"\\{name}" not in commands.CONVERSION_MAP:
            found.append(f"environment {name}")
    for each in element.iter():
        tag = each.tag.removeprefix(NAMESPACE)
        if each.text and "\\" in each.text:
            found.append(f"command {each.text}")
        if CHILDREN.get(tag, len(each)) != len(each):
            found.append(f"{tag} with {len(each)} parts")
    return found


def converted(node: nodes.Element, display: str) -> str:
    """Return the formula of a node as MathML, or stop the build."""
    try:
        return mathml(node.astext(), display)
    except ValueError as error:
        place = f"{node.source or node.parent.source}:{node.line or node.parent.line}"
        raise ExtensionError(f"{place}: {error}") from error


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    self.body.append(converted(node, "inline"))
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that has its own line, with its number if it has one."""
    self.body.append(self.starttag(node, "div", "", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f"{converted(node, 'block')}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
