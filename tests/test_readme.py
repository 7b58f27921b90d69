"""The README: its numbers are those of committed runs, its code runs, its commands exist."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, assert_in_range, code_of

from nnloss import RunRecord
from nnloss._tensorflow import keras
from nnloss.quiz import read_questions
from nnloss.quiz.command import QUESTIONS

README = (ROOT / "README.md").read_text(encoding="utf-8")
ALL = [RunRecord.read(path) for path in sorted(ROOT.glob("results/*/*/run.json"))]
RECORDS = [record for record in ALL if record.exercise != "losses"]
RUNS = {(each.exercise, each.augment or each.loss): each for each in RECORDS}
MSE, MAE = ("boston", "mean_squared_error"), ("boston", "mean_absolute_error")
CCE, BCE = ("wafer", "categorical_crossentropy"), ("wafer", "binary_crossentropy")
PLAIN, AUGMENTED = ("cifar10", "categorical_crossentropy"), ("cifar10", True)


def test_every_number_is_the_one_that_the_script_writes():
    done = subprocess.run([sys.executable, "results/readme.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run: uv run python results/readme.py"


def test_the_script_notices_another_number(tmp_path):
    """Run the script on a README with one digit changed."""
    for name in ("results", "benchmarks", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    script = runpy.run_path(str(ROOT / "results" / "readme.py"))
    script["main"].__globals__["ROOT"] = tmp_path
    accuracy = f"{RUNS[AUGMENTED].metrics['test']['accuracy']:.4f}"
    assert README.count(accuracy) >= 1
    path = tmp_path / "README.md"
    path.write_text(README.replace(accuracy, "0.9999"), encoding="utf-8")
    status = [script["main"](*option) for option in (["--check"], [], ["--check"])]
    assert status == [1, 0, 0]
    assert path.read_text(encoding="utf-8") == README


def row(model):
    """Cells of a row of the table of results."""
    (cells,) = re.findall(rf"^\| {re.escape(model)} \|(.+)\|$", README, flags=re.MULTILINE)
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
    text = " ".join(README.split())
    assert f"make {100 * squared.sum() / np.sum(size**2):.0f} % of the squared error" in text
    assert f"and {100 * absolute.sum() / np.sum(size):.0f} % of its absolute error" in text


def test_the_claims_are_those_of_a_full_run():
    (record,) = (each for each in ALL if each.exercise == "losses")
    assert (record.status, record.quick, record.seed) == ("finished", False, 0)
    assert "dirty" not in (record.git_commit or "dirty")
    assert all(each["holds"] for each in record.claims)
    for topic in {each["topic"] for each in record.claims}:
        claims = sum(each["topic"] == topic for each in record.claims)
        assert row(topic)[0] == f"{claims} of {claims}"


def test_the_cost_of_other_pairings_is_that_of_the_run():
    (record,) = (each for each in ALL if each.exercise == "losses")
    table = pd.read_csv(ROOT / "results" / "losses" / record.id / "pitfalls.csv")
    last = table[table["epoch"] == table["epoch"].max()].groupby(["pairing", "bias"])["accuracy"]
    for (pairing, bias), values in last:
        start = f'sure of "normal" (logit {bias:g})' if bias else "usual"
        (cells,) = re.findall(rf"^\| {re.escape(f'{pairing} | {start}')} \|(.+)\|$", README, re.M)
        found = [cell.strip() for cell in cells.split("|")]
        assert found[:2] == [f"{values.mean():.4f}", f"{values.min():.4f}"]
        seeds = table[(table["pairing"] == pairing) & (table["bias"] == bias)]
        best = seeds.groupby("seed")["accuracy"].max()
        assert found[2] == f"{(best >= 0.97).sum()} of {len(best)}"


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
    assert row(name) == expected


def test_every_picture_and_link_is_there():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(targets) >= 4
    for target in targets:
        assert (ROOT / target).exists(), target


CODE = code_of(README)


@pytest.mark.slow
def test_the_code_for_many_seeds_runs(python):
    (code,) = (each for each in CODE if "fit_many" in each)
    done = python("-c", code.replace("range(100)", "range(7)"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"count +7\.0", done.stdout)
    mean = float(re.search(r"mean +([\d.]+)", done.stdout)[1])
    assert mean == pytest.approx(20.8, abs=1.5)
    # The mean of all networks errs less than they do in the mean: the error is convex.
    assert 15 < float(re.search(r"mean of all networks: ([\d.]+)", done.stdout)[1]) < mean


def test_the_code_does_what_it_says(python, tmp_path):
    (code,) = (each for each in CODE if "log=" in each)
    done = python("-c", code.replace('log="runs"', f"log={str(tmp_path)!r}"))
    assert done.returncode == 0, done.stderr
    assert_in_range(done.stdout.splitlines()[0], code)
    promised = re.search(r"The last line prints\n\n((?:> .+\n)+)", README)[1]
    promised = " ".join(line.removeprefix("> ") for line in promised.splitlines())
    assert done.stdout.splitlines()[-1] == promised
    assert list(tmp_path.glob("sequential/*/run.json"))


def test_the_check_prints_what_it_says(capsys):
    (code,) = (each for each in CODE if "check_pairing" in each)
    keras.utils.clear_session()  # names are counted from the beginning
    exec(code, {})
    promised = re.search(r"\nprints\n\n((?:    .+\n)+)", README)[1]
    lines = "".join(f"{line[4:]}\n" for line in promised.splitlines())
    assert capsys.readouterr().out == lines


def test_the_quiz_has_as_many_questions_and_proofs_as_it_says():
    questions = read_questions(QUESTIONS)
    assert f"all {len(questions)} with answers" in README
    assert f"for {sum(bool(each.proof) for each in questions)} of them" in README


EXERCISES = [path.stem for path in (ROOT / "exercises").glob("[!_]*.py")]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_option_of_the_command_is_described(lab, exercise):
    options = re.findall(r"--[a-z-]+", lab(exercise, "--help").stdout)
    assert {option for option in options if not re.search(rf"[` ]{option}\b", README)} == set()


def test_records_name_no_folder_of_a_machine():
    for record in ALL:
        text = json.dumps(record.row()) + record.to_json()
        assert not re.search(r"/(home|root|work|tmp|Users)/", text)
