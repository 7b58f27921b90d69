"""README and docs: numbers are those of committed runs, code runs, links and options exist."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, assert_in_range, code_of

from nnloss import PairingError, RunRecord
from nnloss._tensorflow import keras
from nnloss.pairing.command import main as check
from nnloss.quiz import read_questions
from nnloss.quiz.command import QUESTIONS

DOCS = ROOT / "docs"
README, RESULTS, SPEED, COMMANDS = (
    path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md", DOCS / "results.md", DOCS / "speed.md", DOCS / "command-line.md",
    )
)  # fmt: skip
ALL = [RunRecord.read(path) for path in sorted(ROOT.glob("results/*/*/run.json"))]
RECORDS = [record for record in ALL if record.exercise != "losses"]
RUNS = {(each.exercise, each.augment or each.loss): each for each in RECORDS}
MSE, MAE = ("boston", "mean_squared_error"), ("boston", "mean_absolute_error")
CCE, BCE = ("wafer", "categorical_crossentropy"), ("wafer", "binary_crossentropy")
PLAIN, AUGMENTED = ("cifar10", "categorical_crossentropy"), ("cifar10", True)


def test_the_readme_is_one_page():
    assert len(README.splitlines()) <= 150


# Numbers


def test_every_number_is_the_one_that_the_script_writes():
    done = subprocess.run([sys.executable, "results/readme.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run: uv run python results/readme.py"


def test_the_script_notices_another_number(tmp_path, monkeypatch):
    """Run the script on pages with one digit changed."""
    monkeypatch.syspath_prepend(str(ROOT / "results"))
    script = runpy.run_path(str(ROOT / "results" / "readme.py"))
    script["main"].__globals__["ROOT"] = tmp_path
    (tmp_path / "docs").mkdir()
    for page in script["PAGES"]:
        (tmp_path / page).write_bytes((ROOT / page).read_bytes())
    accuracy = f"{RUNS[AUGMENTED].metrics['test']['accuracy']:.4f}"
    assert RESULTS.count(accuracy) >= 1
    path = tmp_path / "docs" / "results.md"
    path.write_text(RESULTS.replace(accuracy, "0.9999"), encoding="utf-8")
    status = [script["main"](*option) for option in (["--check"], [], ["--check"])]
    assert status == [1, 0, 0]
    assert path.read_text(encoding="utf-8") == RESULTS


def row(name, text=RESULTS):
    """Cells of a row of a table."""
    (cells,) = re.findall(rf"^\| {re.escape(name)} \|(.+)\|$", text, flags=re.MULTILINE)
    return [cell.strip() for cell in cells.split("|")]


def digits(values):
    return [f"{values['mean_squared_error']:.4f}", f"{values['mean_absolute_error']:.4f}"]


FULL = {  # epochs, batch size, parameters
    MSE: (100, 32, 3_009), MAE: (100, 32, 3_009), PLAIN: (20, 64, 167_562),
    AUGMENTED: (20, 64, 167_562), CCE: (100, 64, 10_994), BCE: (100, 64, 9_969),
}  # fmt: skip


def test_the_committed_runs_are_full_runs_of_the_course():
    assert RUNS.keys() == FULL.keys()
    assert len(RECORDS) == len(FULL)
    for key, (epochs, batch, parameters) in FULL.items():
        record = RUNS[key]
        assert (record.status, record.quick, record.seed, record.edition) == (
            "finished", False, 0, 2023,
        )  # fmt: skip
        assert (record.epochs_trained, record.batch_size) == (epochs, batch)
        assert record.parameters == parameters
        assert "dirty" not in (record.git_commit or "dirty")
    table = pd.read_csv(ROOT / "results" / "results.csv")
    assert sorted(table["id"]) == sorted(record.id for record in ALL)


def test_the_committed_runs_are_where_they_should_be():
    assert 0.65 < RUNS[PLAIN].metrics["test"]["accuracy"] < 0.71
    assert RUNS[AUGMENTED].metrics["test"]["accuracy"] >= 0.68
    assert RUNS[AUGMENTED].machine["peak_memory_MB"] < 3 * 1024
    for key in (CCE, BCE):
        assert RUNS[key].metrics["test"]["accuracy"] >= 0.994
        baseline = RUNS[key].baseline["logistic_regression"]
        assert baseline["accuracy"] == pytest.approx(0.9018494484, abs=1e-9)


@pytest.mark.parametrize(
    ("exercise", "key", "measure"),
    [
        ("boston", MSE, lambda test: f"{1000 * test['mean_absolute_error']:,.0f} USD"),
        ("cifar10", PLAIN, lambda test: f"{100 * test['accuracy']:.1f} %"),
        ("cifar10", AUGMENTED, lambda test: f"{100 * test['accuracy']:.1f} %"),
        ("wafer", CCE, lambda test: f"{100 * test['accuracy']:.1f} %"),
    ],
)
def test_the_answers_are_those_of_the_runs(exercise, key, measure):
    (line,) = re.findall(rf"^\| \[`{exercise}`\].+", README, flags=re.MULTILINE)
    _, _, _, answer, course, *_ = line.split("|")
    assert measure(RUNS[key].metrics["test"]) in answer
    table = pd.read_csv(ROOT / "results" / "sweep" / "verdicts.csv")
    metric = "MAE" if exercise == "boston" else "accuracy"
    (verdict,) = table[
        (table["exercise"] == exercise)
        & (table["edition"] == "2023")
        & (table["quantity"] == f"network: test {metric}")
    ]["verdict"]
    assert verdict in course


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        ("network trained on MSE", MSE),
        ("network trained on MAE", MAE),
    ],
)
def test_the_networks_numbers_are_those_of_the_runs(model, loss):
    assert row(model)[:2] == digits(RUNS[loss].metrics["test"])


def test_the_linear_regressions_numbers_are_those_of_the_runs():
    for record in (RUNS[MSE], RUNS[MAE]):
        assert row("linear regression")[:2] == digits(record.baseline["linear_regression"])


def test_the_courses_numbers_are_the_published_ones():
    published = [str(each["published"]) for each in RUNS[MSE].published]
    assert row("linear regression")[2:] + row("network trained on MSE")[2:] == published


@pytest.mark.parametrize(
    ("model", "key"),
    [("network", PLAIN), ("network, augmented images", AUGMENTED)],
)
def test_the_numbers_of_the_images_are_those_of_the_runs(model, key):
    test = RUNS[key].metrics["test"]
    published = [str(each["published"]) for each in reversed(RUNS[key].published)]
    assert row(model) == [f"{test['accuracy']:.4f}", f"{test['loss']:.4f}", *published]


@pytest.mark.parametrize(
    ("model", "key"),
    [("network, softmax(2) and CCE", CCE), ("network, sigmoid(1) and BCE", BCE)],
)
def test_the_numbers_of_the_wafers_are_those_of_the_runs(model, key):
    test = RUNS[key].metrics["test"]
    assert row(model)[:2] == [f"{test['accuracy']:.4f}", f"{test['balanced_accuracy']:.4f}"]


def test_the_shares_are_those_of_the_run():
    record = RUNS[MSE]
    table = pd.read_csv(ROOT / "results" / "boston" / record.id / "predictions.csv")
    test = table[table["rows"] == "test"]
    size = np.sort((test["actual"] - test["network"]).abs().to_numpy())[::-1]
    squared, absolute = (size[:5] ** k for k in (2, 1))
    text = " ".join(RESULTS.split())
    assert f"make {100 * squared.sum() / np.sum(size**2):.0f} % of the squared error" in text
    assert f"and {100 * absolute.sum() / np.sum(size):.0f} % of its absolute error" in text


def test_the_claims_are_those_of_a_full_run():
    (record,) = (each for each in ALL if each.exercise == "losses")
    assert (record.status, record.quick, record.seed) == ("finished", False, 0)
    assert "dirty" not in (record.git_commit or "dirty")
    assert all(each["holds"] for each in record.claims)
    assert f"{len(record.claims)} of {len(record.claims)} claims hold" in README
    for topic in {each["topic"] for each in record.claims}:
        claims = sum(each["topic"] == topic for each in record.claims)
        assert row(topic)[0] == f"{claims} of {claims}"


def test_the_cost_of_other_pairings_is_that_of_the_run():
    (record,) = (each for each in ALL if each.exercise == "losses")
    table = pd.read_csv(ROOT / "results" / "losses" / record.id / "pitfalls.csv")
    last = table[table["epoch"] == table["epoch"].max()].groupby(["pairing", "bias"])["accuracy"]
    for (pairing, bias), values in last:
        start = f'sure of "normal" (logit {bias:g})' if bias else "usual"
        found = row(f"{pairing} | {start}")
        assert found[:2] == [f"{values.mean():.4f}", f"{values.min():.4f}"]
        seeds = table[(table["pairing"] == pairing) & (table["bias"] == bias)]
        best = seeds.groupby("seed")["accuracy"].max()
        assert found[2] == f"{(best >= 0.97).sum()} of {len(best)}"


def test_comparisons_have_the_share_that_their_rule_explains():
    table = pd.read_csv(ROOT / "results" / "sweep" / "comparisons.csv")
    rows = re.findall(r"^\| \w+ instead of \w+ \|(.+)\|$", RESULTS, flags=re.MULTILINE)
    shares = [float(each.split("|")[5].removesuffix(" % ")) for each in rows]
    assert shares == pytest.approx(100 * table["share"], abs=0.051)


@pytest.mark.parametrize("name", ["plain Keras", "PyTorch"])
def test_the_speed_is_that_of_the_committed_benchmark(name):
    measured = pd.read_csv(ROOT / "benchmarks" / "results" / "training.csv")
    expected = []
    for exercise in ("boston", "wafer", "cifar10"):
        part = measured[measured["exercise"] == exercise].set_index(["contender", "round"])
        theirs, ours = part.loc[name, "training"], part.loc["nnloss", "training"]
        each = theirs / ours
        ratio = theirs.median() / ours.median()
        ratio, low, high = (
            f"{value:.1f}" if value >= 1 else f"{value:.2g}"
            for value in (ratio, each.min(), each.max())
        )
        expected += [f"{theirs.median():.1f}", f"{ratio} ({low} to {high})"]
    assert row(name, SPEED) == expected


def test_the_quiz_has_as_many_questions_as_it_says():
    assert f"| {len(read_questions(QUESTIONS))} questions |" in README


def test_records_name_no_folder_of_a_machine():
    for record in ALL:
        text = json.dumps(record.row()) + record.to_json()
        assert not re.search(r"/(home|root|work|tmp|Users)/", text)


# Output, code and options


def indented(after):
    """Return the indented lines that follow a text of the README."""
    block = re.search(rf"{re.escape(after)}\n+((?:    .+\n)+)", README)[1]
    return [line[4:] for line in block.splitlines()]


def words_and_numbers(line):
    """Return a line without its numbers, and these: other processors round otherwise."""
    number = r"-? *-?\d[\d,]*(?:\.\d+)?"
    found = [float(each.replace(",", "").replace(" ", "")) for each in re.findall(number, line)]
    return re.sub(rf" *{number}", "#", line), found


def test_the_first_command_ends_as_it_says(lab, tmp_path):
    done = lab("boston", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    printed = [words_and_numbers(line) for line in done.stdout.splitlines()]
    promised = [words_and_numbers(line) for line in indented("<!-- numbers: output -->")]
    assert len(promised) == 10
    first = printed.index(next(each for each in printed if each[0] == promised[1][0])) - 1
    for (words, numbers), (expected, near) in zip(printed[first:], promised, strict=False):
        assert words == expected
        assert numbers == pytest.approx(near, rel=0.1, abs=2)


def test_the_code_does_what_it_says(capsys):
    first, second = code_of(README)
    keras.utils.clear_session()  # names are counted from the beginning
    names: dict[str, object] = {}
    with pytest.raises(PairingError) as refused:
        exec(first, names)
    assert_in_range(capsys.readouterr().out.splitlines()[-1], first)
    quoted = re.search(r"The last line raises\n\n((?:> .+\n)+)", README)[1]
    assert f"PairingError: {refused.value}" == " ".join(
        line.removeprefix("> ") for line in quoted.splitlines()
    )
    exec(second, names)
    assert capsys.readouterr().out.splitlines() == indented("\nprints\n")


EXERCISES = [path.stem for path in (ROOT / "exercises").glob("[!_]*.py")]


@pytest.mark.parametrize("command", [*EXERCISES, "check"])
def test_every_command_and_option_is_described(lab, typed, command):
    done = typed(check, "--help") if command == "check" else lab(command, "--help")
    options = re.findall(r"--[a-z-]+", done.stdout)
    assert len(options) >= 2
    assert {each for each in options if not re.search(rf"[` ]{each}(?![\w-])", COMMANDS)} == set()
    assert f"`nnloss {command}`" in COMMANDS or f"`exercises.{command}`" in COMMANDS


# Links

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + [
    path for path in DOCS.rglob("*.md") if not {"_build", "labs"} & set(path.parts)
]


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page, as the code host and MyST name them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_picture_and_link_is_there(page):
    targets = re.findall(r'(?:\]\(|src=")([^)"\s]+)[)"]', prose(page))
    assert len(targets) >= 20 or page.name != "README.md"
    for target in targets:
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if file.parent == DOCS / "labs":  # made from the notebooks, where the site is built
            file = ROOT / "notebooks" / file.name
        if target == "_static/report.html":  # copied where the site is built
            file = ROOT / "results" / "report.html"
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target
