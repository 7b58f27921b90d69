"""The site builds without data and network, is complete without scripts, and broken pages fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import nbformat
import pytest
from conftest import build_site, site_sources

from docs._extensions.mathml import mathml
from nnloss.quiz import read_questions
from nnloss.quiz.command import QUESTIONS
from nnloss.quiz.questions import topics

pytestmark = pytest.mark.slow

LIMIT = 1_500_000  # bytes of a page with all that it loads
# What a browser loads for a page, by element.
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


class Page(HTMLParser):
    """The start tags of a page, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    def loads(self) -> set[str]:
        """Return the addresses of what the page loads."""
        return {
            str(attributes[LOADED[tag]])
            for tag, attributes in self.tags
            if LOADED.get(tag) in attributes
            and attributes.get("rel") not in {"canonical", "index", "search", "next", "prev"}
        }


def pages(site: Path) -> Iterator[Path]:
    return (path for path in site.rglob("*.html") if "_downloads" not in path.parts)


# Formulas


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"\frac{1}{2}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\hat y_i", '<msub><mover accent="true"><mi>y</mi>'),
        (r"\log p", ">log</mo><mi>p</mi>"),
        (r"y \sim x", "<mi>y</mi><mo>\u223c</mo><mi>x</mi>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtd"),
        ("B'", "<mrow><mi>B</mi><mi>&#x02032;</mi></mrow>"),
        ("B''", "<mrow><mi>B</mi><mi>&#x02033;</mi></mrow>"),
        (r"\mathrm{E}(y)", '<mi mathvariant="normal">E</mi>'),
        (r"\{ a \}", "<mi>a</mi>"),
        (r"a < b", "<mi>a</mi><mo>&#x0003C;</mo><mi>b</mi>"),
    ],
)
def test_a_formula_is_mathml(latex, parts):
    markup = mathml(latex, "block")
    assert markup.startswith("<math ")
    assert 'display="block"' in markup
    assert parts in markup


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\nowhere x", r"command \nowhere"),
        (r"\begin{nowhere} x \end{nowhere}", "environment nowhere"),
        (r"\frac{1}", "mfrac with 1 parts"),
        (r"{x", "braces without a partner"),
        (r"x}", "braces without a partner"),
        (r"a & b", "not well-formed"),
        (r"\left( x", "ExtraLeftOrMissingRightError"),
        ("", "NoAvailableTokensError"),
    ],
)
def test_a_formula_that_is_not_understood_is_refused(latex, reason):
    with pytest.raises(ValueError, match="latex2mathml knows; found") as found:
        mathml(latex)
    assert repr(latex) in str(found.value)
    assert reason in str(found.value)


# The site


def test_a_page_loads_nothing_from_another_host(site):
    for path in pages(site):
        for address in Page(path).loads():
            assert not urlsplit(address).netloc, (path, address)
        markup = path.read_text(encoding="utf-8")
        assert not re.search(r"""url\(["']?https?:|@import|import\(""", markup), path
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//|@import", path.read_text()), path


def test_each_page_with_all_that_it_loads_is_light(site):
    for path in pages(site):
        loaded = {
            site / urljoin(path.relative_to(site).as_posix(), urlsplit(each).path)
            for each in Page(path).loads()
            if not each.startswith("data:")
        }
        assert sum(each.stat().st_size for each in {path, *loaded}) < LIMIT, path


def test_the_first_lab_is_complete_without_scripts(site):
    lab = Page(site / "labs" / "boston.html")
    assert "Exercise 11.3: the price of a home in Boston" in lab.text
    assert "lab = nnloss.lab(" in lab.text
    assert "linear regression: test MSE" in lab.text
    assert "%pip" not in lab.text
    notebook = nbformat.read(Path(__file__).parents[1] / "notebooks" / "boston.ipynb", 4)
    kinds = [
        kind
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for kind in output.get("data", ())
    ]
    images = lab.all("img")
    assert len(images) == kinds.count("image/png") > 0
    assert len(lab.all("table")) == kinds.count("text/html") > 0
    assert all((site / "labs" / str(each["src"])).exists() for each in images)
    assert str(images[0]["alt"]).startswith("Network trained on MSE. Loss and metric by epoch.")


def test_each_image_has_a_text(site):
    for path in pages(site):
        for image in Page(path).all("img"):
            assert image.get("alt"), (path, image)


def test_what_scrolls_is_reached_by_keyboard(site):
    for path in pages(site):
        page = Page(path)
        if path.parent.name != "_static" and path.name != "exam_sheet.html":
            assert all(each.get("tabindex") == "0" for each in page.all("pre")), path
            for each in page.all("div"):
                if re.search("table-wrapper|math-wrapper|text_html", each.get("class") or ""):
                    assert (each.get("tabindex"), each.get("role")) == ("0", "group"), path
                    assert each.get("aria-label"), path


def test_links_to_files_of_the_repository_lead_to_what_the_site_has(site):
    def links(name: str) -> set[str | None]:
        return {each.get("href") for each in Page(site / name).all("a")}

    assert {"labs/boston.html", "labs/inside.html"} <= links("labs.html")
    assert {"exam_sheet.html", "exam_sheet.pdf"} <= links("quiz.html")
    assert "_static/report.html" in links("report.html")
    assert any("boston.ipynb" in str(each) for each in links("labs/boston.html"))
    (frame,) = Page(site / "report.html").all("iframe")
    assert (frame["src"], frame["loading"]) == ("_static/report.html", "lazy")
    assert frame["title"]


def test_the_page_of_the_quiz_names_its_topics(site):
    text = " ".join(Page(site / "quiz.html").text.split())
    assert topics(read_questions(QUESTIONS)) in text.replace(" and ", ", ")


# Broken pages

FAULTS = [
    ("[a](nowhere.md)", "'nowhere.md'"),
    ("[a](index.md#nowhere)", "'nowhere'"),
    ("[a](#nowhere)", "'nowhere'"),
    ("[a](../results/nowhere.csv)", "'../results/nowhere.csv'"),
    ("{download}`a <../results/nowhere.csv>`", "download file not readable"),
    ("![a](nowhere.png)", "image file not readable: nowhere.png"),
    ("![](../benchmarks/results/speed.png)", "An image must have an alternative text"),
    ("(a)=\n## A\n\n(a)=\n## B", 'Duplicate explicit target name: "a"'),
]
INDEX = "# Index\n\n```{toctree}\n:glob:\npage-*\nlabs/*\n```\n"


def broken_site(folder: Path, *pages: str) -> Path:
    """Make the sources of a site of the notebooks and these pages, and return their folder."""
    docs = site_sources(folder, "*.md", "*.rst")
    (docs / "index.md").write_text(INDEX)
    for number, text in enumerate(pages):
        (docs / f"page-{number}.md").write_text(f"# Page\n\n{text}\n")
    return docs


def messages(docs: Path) -> str:
    """Build a site, which fails, and return what it says."""
    done = build_site(docs, docs.parent / "built" / "html")
    assert done.returncode != 0, done.stdout
    return done.stderr


SOUND = """\
$$
a = b
$$ (equality)

See {eq}`equality` and [how to contribute](../CONTRIBUTING.md).
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> Path:
    """Make a site: a page for each fault, one that no other names, and one that is sound."""
    texts = [text for text, _ in FAULTS]
    docs = broken_site(tmp_path_factory.mktemp("broken"), *texts, SOUND)
    (docs / "alone.md").write_text("# Alone\n")
    return docs.parent


@pytest.fixture(scope="module")
def warnings(broken) -> list[str]:
    """Build it, and return the lines that it says."""
    return messages(broken / "docs").splitlines()


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_broken_page_fails_the_build(warnings, number):
    (line,) = (line for line in warnings if f"page-{number}.md:" in line)
    assert "WARNING" in line
    assert FAULTS[number][1] in line


def test_a_page_outside_of_the_contents_fails_the_build(warnings):
    (line,) = (line for line in warnings if "alone.md:" in line)
    assert "isn't included in any toctree" in line


def test_nothing_else_is_wrong(warnings):
    assert len([line for line in warnings if "WARNING" in line]) == len(FAULTS) + 1


def test_a_sound_page_has_numbers_of_formulas_and_files_to_download(warnings, broken):
    page = Page(broken / "built" / "html" / f"page-{len(FAULTS)}.html")
    assert page.all("math")
    assert page.text.count("(1)") == 2
    assert "See (1) and how to contribute." in page.text
    assert any(str(each["href"]).endswith("/CONTRIBUTING.md") for each in page.all("a"))


def test_a_formula_that_is_not_understood_fails_the_build(tmp_path):
    said = messages(broken_site(tmp_path, "One line.\n\n$\\nowhere$"))
    assert "page-0.md:5: A formula must be LaTeX that latex2mathml knows" in said


def changed_notebook(folder: Path, change: Callable[[Any], None]) -> str:
    """Build a site whose notebook of Boston was changed, and return what it says."""
    docs = broken_site(folder, "")
    path = folder / "notebooks" / "boston.ipynb"
    notebook = nbformat.read(path, 4)
    change(notebook.cells[-1])
    nbformat.write(notebook, path)
    return messages(docs)


def test_a_notebook_that_raised_fails_the_build(tmp_path):
    error = nbformat.v4.new_output("error", ename="NameError", evalue="no name", traceback=[])
    said = changed_notebook(tmp_path, lambda cell: cell.outputs.append(error))
    assert "labs/boston: The cells of a notebook must run without an error; found NameError" in said


def test_a_notebook_of_another_lab_fails_the_build(tmp_path):
    said = changed_notebook(tmp_path, lambda cell: cell.update(source="1 + 1"))
    assert "labs/boston: A notebook must have the sources of its lab" in said
