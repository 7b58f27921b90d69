"""The exam sheet: its table, numbers and code are right, and it is one page."""

from __future__ import annotations

import html
import re
import runpy
import shutil
import subprocess
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, missing

from nnloss import BINARY, MULTICLASS, REGRESSION, TASKS, check_pairing
from nnloss._tensorflow import keras
from nnloss.table import SOFTMAX
from nnloss.theory.pitfalls import double_softmax_floor

SHEET = (ROOT / "docs" / "exam_sheet.html").read_text(encoding="utf-8")
PDF = (ROOT / "docs" / "exam_sheet.pdf").read_bytes()
SIGMOID = "sigmoid + BCE"


@pytest.fixture
def script():
    return runpy.run_path(str(ROOT / "docs" / "exam_sheet" / "make.py"))


def text(part: str) -> str:
    """Text of a part of the page."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", part)).split())


def element(name: str) -> str:
    """Content of the element with an id, or with another attribute such as ``class="pairs"``."""
    attribute = name if "=" in name else f'id="{name}"'
    ((_, content),) = re.findall(rf"<(\w+) [^>]*{attribute}[^>]*>(.*?)</\1>", SHEET, re.DOTALL)
    return content


def numbers(part: str) -> list[str]:
    """Numbers of a part of the page outside its formulas."""
    prose = text(re.sub("<math.*?</math>", " ", part, flags=re.DOTALL))
    return re.findall(r"[+−]?\d+(?:\.\d+)?", prose)


def test_the_committed_page_is_the_one_that_the_script_makes(script):
    assert script["page"]() == SHEET, "run: uv run python docs/exam_sheet/make.py"


def test_each_task_has_its_row():
    rows = re.findall("<tr>(.*?)</tr>", element('class="pairs"'), re.DOTALL)[1:]
    assert len(rows) == len(TASKS)
    for row, task in zip(rows, TASKS.values(), strict=True):
        cells = [text(cell) for cell in re.findall("<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)]
        problem, nodes, activation, title, _ = task.row
        assert cells[:4] == [problem, nodes, activation, f"{title} {task.loss.name}"]
        assert cells[4].split()[-1] == task.family.name
        assert cells[5].startswith(f"{task.link.name} ")
        values, shape = task.domain.text((None, task.nodes)).split(", of shape ")
        assert values == f"targets that are {cells[6].partition(' (')[0]}"
        assert cells[6].endswith(shape.replace("N", "n").replace("any", nodes))


@pytest.fixture(scope="module")
def trained():
    (path,) = ROOT.glob("results/losses/*/pitfalls.csv")
    return pd.read_csv(path)


def last(trained, pairing, column="accuracy", bias=0):
    part = trained[(trained["pairing"] == pairing) & (trained["bias"] == bias)]
    return part[part["epoch"] == part["epoch"].max()][column]


def reached(trained, pairing):
    part = trained[(trained["pairing"] == pairing) & (trained["bias"] > 0)]
    return str(part[part["accuracy"] >= 0.97]["seed"].nunique())


def test_the_numbers_of_the_pitfalls_are_those_of_the_committed_run(trained):
    def mean(pairing):
        return f"{last(trained, pairing).mean():.3f}"

    seeds, epochs = (str(trained[name].nunique()) for name in ("seed", "epoch"))
    normal = pd.read_csv(ROOT / "results" / "results.csv")["baseline.all_normal.accuracy"].max()
    start, sure = f"{trained['bias'].max():.0f}", reached(trained, "sigmoid + MSE")
    signs = last(trained, "sigmoid + BCE, labels -1 and 1", "loss").mean()
    expected = {
        "right": [seeds, epochs, mean(SIGMOID), mean("softmax + CCE"), f"{normal:.3f}"],
        "mse": [mean("sigmoid + MSE"), start, sure, seeds, "0.97", reached(trained, SIGMOID)],
        "double": [
            mean("double softmax + CCE"), f"{double_softmax_floor(2):.3f}", "2",
            f"{double_softmax_floor(10):.3f}", "10",
        ],
        "linear": [mean("linear + BCE"), f"{last(trained, 'linear + BCE').min():.3f}", "0", "1"],
        "signs": [
            "−1", "1", "0", f"−{-signs:.1f}", mean("sigmoid + BCE, labels -1 and 1"),
            "0", "1", "1", "2",
        ],
        "integers": [mean("softmax + MSE, integer labels")],
        "one-node": [],
    }  # fmt: skip
    assert {name: numbers(element(name)) for name in expected} == expected
    assert element('class="pitfalls"').count("<tr id=") == len(expected) - 1


def test_a_softmax_on_one_node_says_1_whatever_the_weights():
    assert (SOFTMAX.inverse([[-3.0], [0.0], [7.0]]) == 1).all()
    assert "<mi>p</mi><mo>=</mo><mn>1</mn>" in element("one-node")


def test_the_numbers_on_mse_and_mae_are_those_of_the_committed_runs():
    (path,) = (
        path.with_name("predictions.csv")
        for path in ROOT.glob("results/boston/*/run.json")
        if '"loss": "mean_squared_error"' in path.read_text(encoding="utf-8")
    )
    table = pd.read_csv(path)
    test = table[table["rows"] == "test"]
    size = np.sort((test["actual"] - test["network"]).abs())[::-1]
    shares = [f"{100 * np.sum(size[:5] ** k) / np.sum(size**k):.0f}" for k in (2, 1)]
    assert numbers(element("worst")) == ["5", str(len(size)), *shares]

    compared = pd.read_csv(ROOT / "results" / "sweep" / "split_comparisons.csv")
    compared = compared[compared["batch_size"] == 32].set_index("title")
    found = [
        f"{compared.loc[title, name]:+.2f}".replace("-", "−")
        for title in ("test MAE", "test MSE")
        for name in ("difference", "low", "high")
    ]
    splits = str(compared.loc["test MAE", "splits"])
    assert numbers(element("splits")) == [splits, found[0], "95", *found[1:]]


def body():
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu")])


def run(code, model):
    exec(code, {"model": model, "keras": keras, "layers": keras.layers})


def code(task):
    return html.unescape(re.sub("<[^>]+>", "", element(f'data-task="{task.name}"')))


TARGETS = {
    REGRESSION: np.linspace(-2, 9, 20),
    BINARY: np.arange(20) % 2,
    MULTICLASS: np.eye(10)[np.arange(20) % 10],
}


@pytest.mark.parametrize("task", TARGETS, ids=lambda task: task.name)
def test_the_code_for_compile_gives_the_pairing_of_the_task(task):
    assert {each for each in TASKS.values() if each.in_course} == set(TARGETS)
    model = body()
    run(code(task), model)
    assert check_pairing(model, y=TARGETS[task]).verdict == "right"
    assert (model.layers[-1].activation.__name__, model.loss) == (task.activation, task.loss.name)
    model.fit(np.ones((20, 8)), TARGETS[task], verbose=0)
    assert "accuracy" in model.history.history or task is REGRESSION


@pytest.mark.parametrize(
    ("fragment", "head", "y"),
    [
        ("sparse", 'model.add(layers.Dense(10, "softmax"))', np.arange(20) % 10),
        ("logits", "model.add(layers.Dense(1))", TARGETS[BINARY]),
    ],
)
def test_the_other_losses_are_right_too(fragment, head, y):
    model = body()
    run(f"{head}\nmodel.compile({text(element(fragment))})", model)
    assert check_pairing(model, y=y).verdict == "right"


def test_the_page_stands_alone_and_has_headings_and_headers():
    loading = re.findall(r"<script.*|<link.*|\b(?:src|href)=.*|url\(.*|@import.*", SHEET)
    assert loading == ['<link rel="icon" href="data:,">'], "no icon is asked for, nor anything else"
    assert '<html lang="en">' in SHEET
    assert re.search("<title>.+</title>", SHEET)
    levels = [int(level) for level in re.findall(r"<h(\d)", SHEET)]
    assert levels == [1, 2, 2, 2, 2, 2]
    assert not re.findall(r"<th(?! scope=)[ >]", SHEET)


def test_the_pdf_is_small_has_one_page_and_no_date():
    assert len(re.findall(rb"/Type /Page\b", PDF)) == 1
    assert len(PDF) < 200_000
    assert b"Date (" not in PDF


def test_without_chromium_the_page_is_written_and_one_line_says_so(
    script, tmp_path, monkeypatch, capsys
):
    names = script["main"].__globals__
    monkeypatch.setitem(names, "HTML", tmp_path / "sheet.html")
    monkeypatch.setitem(names, "PDF", tmp_path / "sheet.pdf")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert script["main"]() == 2
    assert capsys.readouterr().err == (
        "Error: The PDF is printed by Chromium; found none of chromium, chromium-browser, "
        "google-chrome. sheet.html is written; install Chromium, for example by apt, and run this "
        "again.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8").endswith("</html>\n")


def test_a_chromium_that_fails_is_quoted(script, tmp_path, monkeypatch, capsys):
    names = script["main"].__globals__
    monkeypatch.setitem(names, "HTML", tmp_path / "sheet.html")
    monkeypatch.setitem(names, "PDF", tmp_path / "sheet.pdf")
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho no display >&2\nexit 7\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert script["main"]() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "ended with status 7 and said: no display" in line
    assert not (tmp_path / "sheet.pdf").exists()


def words(content: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z_]{3,}|\d+\.\d+", content))


@pytest.mark.slow
@pytest.mark.parametrize("made", ["committed", "now"])
def test_the_pdf_has_the_text_of_the_page_on_one_page(script, tmp_path, made):
    if not shutil.which("pdftotext") or not any(map(shutil.which, script["PROGRAMS"])):
        missing("needs Debian's chromium and poppler-utils")
    path = tmp_path / "sheet.pdf"
    path.write_bytes(PDF if made == "committed" else script["printed"](script["HTML"]))
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    assert done.stdout.count("\f") == 1  # one after each page
    assert words(done.stdout) == words(text(SHEET.partition("<body>")[2]))
