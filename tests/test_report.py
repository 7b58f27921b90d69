"""The report: one page that stands alone, says what the tables say, and trusts no name in them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from sweep_tables import BCE, CCE, CLASSICAL, Tables, split_seeds, tables

from nnloss import RunRecord
from nnloss.report import provenance
from nnloss.report.html import page
from nnloss.reproduction import comparisons, printed, splits, verdicts
from nnloss.reproduction.results import TABLES, Results

TITLE = "Do the published numbers hold?"
EVIL = "<script>alert(1)</script>"
VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """A page, taken apart: `elements` in order, each with its attributes and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[int] = []
        self.feed(html)
        self.close()
        assert self._open == [], "each element is closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.elements[self._open.pop()][0] == tag, f"</{tag}> closes what it should"

    def handle_data(self, data):
        for place in self._open:
            self.elements[place][2].append(data)

    def texts(self, tag):
        """Text of each element of a kind, with single blanks."""
        return [" ".join("".join(text).split()) for name, _, text in self.elements if name == tag]

    def attributes(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]

    def values(self, attribute):
        return [known[attribute] for _, known, _ in self.elements if attribute in known]

    @property
    def text(self):
        return self.texts("body")[0]


def judged(given: Tables, **known) -> Results:
    """Judge the course by some tables; `known` replaces fields."""
    parts = {"seeds": given.seeds, "curves": given.curves, "confusion": given.confusion}
    return replace(Results.of(parts, given.classical, given.records), **known)


def written(given: Tables, *, title=TITLE, quick=False, **known) -> Page:
    """Write the page of some tables."""
    return Page(page(judged(given, **known), title=title, quick=quick))


@pytest.fixture(scope="module")
def given():
    return tables(boston=45, wafer=3, cifar10=20)


@pytest.fixture(scope="module")
def full(given):
    return written(given, **split_study(20))


def split_study(n):
    """Make the tables of a study of `n` random splits."""
    raw = split_seeds(n)
    return {"splits": raw, "split_comparisons": splits.compare_splits(raw, pd.DataFrame())}


def test_the_page_is_whole(full):
    assert full.html.startswith("<!doctype html>")
    assert full.attributes("html") == [{"lang": "en"}]
    assert full.texts("title") == full.texts("h1") == [TITLE]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in (
        full.attributes("meta")
    )
    levels = [int(tag[1]) for tag, _, _ in full.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_answer_comes_first_then_numbers_logs_matrices_comparisons_and_exercises(full):
    assert full.texts("p")[0].startswith("Of the 33 numbers published by TMA4268")
    assert full.texts("h2") == [
        "The numbers", "The course’s training logs", "The course’s confusion matrices",
        "What the loss, or augmentation, changes", "11.3 Boston Housing", "11.4 CIFAR-10",
        "11.5 Wafer", "How it was run", "Folders",
    ]  # fmt: skip
    assert full.texts("h3")[:5] == [
        "Boston Housing", "CIFAR-10", "CIFAR-10, augmented images", "Wafer",
        "On the course’s split, paired by seed",
    ]  # fmt: skip


def test_every_published_number_has_its_row(full, given):
    judged = verdicts.verdicts(given.seeds, given.classical)
    cells = full.texts("td")
    heads = [text for text in full.texts("th") if "network: test MSE" in text]
    editions = "2023", "2024", "2024-pdf"
    assert heads == [f"11.3 Boston Housing, {each} network: test MSE" for each in editions]
    assert [text for text in cells if text == "23.34256"] == ["23.34256"]
    named = full.texts("tr")[1 : 1 + len(judged)]
    for text, row in zip(named, judged.to_dict("records"), strict=True):
        assert row["quantity"] in text
        assert row["verdict"] in text
        assert ("not certain" in text) == (not row["certain"])


def test_every_log_matrix_and_split_comparison_has_its_place(full, given):
    results = judged(given)
    assert len(results.logs) == 8
    assert len(results.matrices) == 6
    text = full.text
    for row in results.matrices.to_dict("records"):
        assert f"{row['rank']} of {row['n'] + 1}" in text
        assert row["cells"] in text
    captions = " ".join(full.texts("figcaption"))
    for row in results.logs.to_dict("records"):
        assert f"{row['edition']}: {row['verdict']}, p = " in captions
    assert full.texts("h4")[:2] == ["Batch 32, 20 splits", "Batch 64, 20 splits"]
    assert splits.conclusion(split_study(20)["split_comparisons"]) in full.texts("p")


def test_the_rules_and_the_summary_are_written_down(full, given):
    for text in (verdicts.RULE, printed.RULE, comparisons.RULE, splits.RULE):
        for paragraph in text.split("\n\n"):
            assert " ".join(paragraph.split()) in full.texts("p")
    assert verdicts.summary(verdicts.verdicts(given.seeds, given.classical)) in full.texts("p")


def test_every_drawing_has_a_text_and_every_figure_a_caption(full):
    drawings = full.attributes("svg")
    assert len(drawings) > 40
    assert all(each["role"] == "img" and each["aria-label"].strip() for each in drawings)
    captions = full.texts("figcaption")
    assert len(captions) == len(full.attributes("figure")) == 4 + len(full.texts("h4"))
    assert all(captions)
    (boston,) = [text for text in full.texts("li") if text.startswith("MSE, batch 32") and
                 "published 21.91999 (2023)" in text]  # fmt: skip
    assert "45 seeds, mean" in boston


def test_the_words_of_a_figure_are_its_numbers(given):
    rows = given.seeds[given.seeds["exercise"].eq("wafer") & given.seeds["loss"].eq(CCE)]
    only = Tables(rows, pd.DataFrame(), pd.DataFrame(), {})
    shown = written(only)
    values = rows["val_loss"]
    (line,) = [text for text in shown.texts("li") if "0.01831522 (2023), 0.02496975 (2024)" in text]
    mean = float(re.search(r"mean ([\d.]+)", line)[1])
    assert mean == pytest.approx(values.mean(), abs=0.1 * values.std())
    assert line.startswith("CCE: 3 seeds")


def test_ids_are_unique_and_what_refers_to_one_finds_it(full):
    ids = full.values("id")
    assert len(ids) == len(set(ids))
    referred = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', full.html)
    assert {one or other for one, other in referred} <= set(ids)
    for attribute in ("aria-labelledby", "aria-describedby"):
        assert set(full.values(attribute)) <= set(ids)


def test_nothing_is_loaded(full):
    assert full.values("src") == []
    assert "@import" not in full.html
    assert set(re.findall(r"url\((.)", full.html)) == {"#"}
    assert re.findall(r"https?://[^\s<]*", full.html) == []
    policy = next(each for each in full.attributes("meta") if "http-equiv" in each)
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'; script-src")


def test_only_our_script_may_run(full):
    (script,) = re.findall("<script>(.*?)</script>", full.html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in full.html


def test_each_folder_is_linked_once_and_from_here(full, given):
    links = [each["href"] for each in full.attributes("a") if not each["href"].startswith("#")]
    folders = given.seeds["folder"].unique()
    assert sorted(links) == sorted(f"./{folder}" for folder in folders)
    assert "0 to 19" in full.texts("td")


def test_the_folder_of_the_classical_models_is_linked_too():
    record = RunRecord("a", "wafer", "finished")
    shown = written(Tables(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), CLASSICAL, [record]))
    assert "./sweep/wafer/classical" in shown.values("href")


def test_the_same_tables_give_the_same_page(given, full):
    few = tables(0, 2, 0)
    assert written(few).html == written(few).html


def named(name):
    """Make tables of an exercise with a name, which its folders and classes have too."""
    made = tables(0, 2, 0)
    for table in (made.seeds, made.curves, made.confusion):
        table["exercise"] = name
    made.seeds["folder"] = f"{name}/javascript:alert(1)"
    made.seeds["loss"] = made.seeds["loss"].replace(BCE, name)
    made.curves["loss"] = made.curves["loss"].replace(BCE, name)
    made.confusion["loss"] = made.confusion["loss"].replace(BCE, name)
    for side in ("actual", "predicted"):
        made.confusion[side] = made.confusion[side].replace("normal", name)
    made.records = [
        replace(record, exercise=name, id=name, command=name, notes=[name], status=name,
                machine={"cpu": name}, versions={name: name}, data={"source": name})
        for record in made.records
    ]  # fmt: skip
    return made


@pytest.mark.parametrize(
    "name",
    [
        EVIL,
        "\"'><img src=x onerror=alert(1)>]]></svg></style>{{ 7 * 7 }} $x$ $\\frac$",
        "a\x00b\x1b[31mc",
    ],
)
def test_a_name_is_shown_as_text(name, full):
    made = named(name)
    wicked = verdicts.verdicts(tables(0, 2, 0).seeds, {})
    wicked["exercise"] = wicked["quantity"] = wicked["verdict"] = name
    made.classical = {name: {name: {name: 1.0}}}
    shown = written(made, title=name, verdicts=wicked)
    assert {tag for tag, _, _ in shown.elements} <= {tag for tag, _, _ in full.elements}
    assert len(shown.attributes("script")) == 1
    visible = name if name.isprintable() else r"a\x00b\x1b[31mc"
    assert shown.texts("h1") == [visible]
    assert any(visible in text for text in shown.texts("text")), "in a drawing"
    assert any(visible in label for label in shown.values("aria-label"))
    assert any(visible in text for text in shown.texts("dd"))
    assert all(href[0] == "#" or href[:2] in ("./", "da") for href in shown.values("href"))
    links = [href for href in shown.values("href") if href.startswith("./")]
    assert all(re.fullmatch(r"[\w./%~-]+", href) for href in links)
    if name.isprintable():
        assert f"./{name}/javascript:alert(1)" in {unquote(href) for href in links}


def test_half_of_a_character_can_be_written_to_a_file():
    """A record is JSON and may hold one; a table cannot."""
    record = RunRecord("a", "b", "c\ud800", notes=["d\ud800"], seeds=[1])
    html = page(Results.of({}, {}, [record]), title="e\ud800")
    assert {r"a: c\ud800", r"d\ud800"} <= set(Page(html).texts("dd"))
    assert r"e\ud800" in html.encode().decode()


@pytest.mark.parametrize("columns", [[], ["exercise", "loss", "augment", "epochs", "batch_size"]])
def test_nothing_run_is_a_page_too(columns):
    nothing = pd.DataFrame(columns=columns)
    html = page(Results.of(dict.fromkeys(TABLES, nothing), {}), title=TITLE)
    assert "There is no published number to judge." in Page(html).text
    assert "Nothing has been run yet." in Page(html).text


def test_classical_models_alone_have_their_section():
    shown = written(Tables(pd.DataFrame(), pd.DataFrame(), pd.DataFrame()))
    assert shown.texts("h2")[1:3] == ["11.3 Boston Housing", "11.5 Wafer"]
    assert "linear regression, has no randomness: test MSE 23.20, test MAE 3.464" in shown.text
    assert "undecided" in shown.text


def test_one_seed_is_undecided_and_has_no_spread():
    shown = written(tables(0, 1, 0))
    assert shown.text.count("? undecided") == 6
    assert "nan" not in shown.text
    assert "None" not in shown.text
    assert "one seed" in shown.text


def test_a_sweep_of_which_every_seed_diverged_is_a_page_too():
    made = tables(0, 3, 0)
    made.seeds = made.seeds.assign(diverged=True, val_loss=np.nan, val_accuracy=np.inf)
    made.curves = made.curves.assign(val_loss=np.nan, val_accuracy=np.nan)
    shown = written(made)
    assert "3 diverged" in shown.text
    assert "nan" not in shown.text
    assert shown.texts("h3").count("Confusion matrices") == 1


def test_seeds_that_diverged_are_counted():
    made = tables(0, 4, 0)
    diverged = made.seeds["seed"].eq(2)
    made.seeds["diverged"] = diverged
    made.seeds.loc[diverged, ["val_loss", "train_loss"]] = np.inf
    made.curves.loc[made.curves["seed"].eq(2), ["val_loss", "train_loss"]] = np.nan
    shown = written(made)
    lines = [text for text in shown.texts("li") if text.startswith("CCE: ")]
    assert [line.partition(",")[0] for line in lines] == ["CCE: 3 seeds"] * 2
    assert "1 diverged" in shown.text


def test_a_quick_sweep_says_what_it_is_worth():
    shown = written(tables(0, 2, 0), quick=True)
    assert shown.texts("p")[0] == "4 quick trainings, not judged."
    assert "fall outside" not in shown.text


def test_how_it_was_run_has_each_different_answer_once(given):
    first, *others = given.records
    other = replace(others[0], machine={"cpu": "Another", "cores": 1, "threads": 4}, seeds=[7, 9])
    failed = replace(first, id="x", status="failed", notes=["out of memory"])
    found = dict(provenance.provenance([first, first, other, failed]))
    assert found["Command"] == [first.command]
    assert found["Machine"] == [
        "A processor at 2.10 GHz, 2 cores, threads not limited, Linux",
        "Another, 1 core, threads limited to 4",
    ]
    assert found["Time"][0] == "4 units of work, 6 min 20 s of computing in all"
    assert found["Time"][2] == "at most 812 MB of memory in a process"
    assert found["Seeds"] == ["11.3 Boston Housing: 0 to 19, 20 in all"]
    assert found["Commit"] == ["b12234ee0c5b8e9a41c5c1b3f2d0f6f8a2b7c9d1"]
    digest = "a13afe1064d0" * 5
    assert found["Data"] == [f"11.3 Boston Housing: boston in the package; sha256 {digest}"]
    assert found["Not finished"] == ["x: failed"]
    assert found["Notes"] == ["out of memory"]
    assert provenance.provenance([]) == []


def test_the_template_travels_with_the_package():
    found = {path.name for path in (files("nnloss.report") / "templates").iterdir()}
    assert {"report.html", "report.css", "report.js"} <= found
