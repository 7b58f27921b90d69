"""The README: its numbers are those of committed runs, its code runs, its commands exist."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from nnloss import RunRecord

README = (ROOT / "README.md").read_text(encoding="utf-8")
RUNS = {
    record.loss: record
    for record in map(RunRecord.read, sorted(ROOT.glob("results/boston/*/run.json")))
}


def row(model):
    """Cells of a row of the table of results."""
    (cells,) = re.findall(rf"^\| {re.escape(model)} \|(.+)\|$", README, flags=re.MULTILINE)
    return [cell.strip() for cell in cells.split("|")]


def digits(values):
    return [f"{values['mean_squared_error']:.4f}", f"{values['mean_absolute_error']:.4f}"]


def test_the_committed_runs_are_full_runs_of_the_course():
    assert sorted(RUNS) == ["mean_absolute_error", "mean_squared_error"]
    for record in RUNS.values():
        assert (record.status, record.quick, record.seed, record.epochs_trained) == (
            "finished", False, 0, 100,
        )  # fmt: skip
        assert (record.edition, record.parameters, record.batch_size) == (2023, 3009, 32)
    table = pd.read_csv(ROOT / "results" / "results.csv")
    assert sorted(table["id"]) == sorted(record.id for record in RUNS.values())


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        ("network trained on MSE", "mean_squared_error"),
        ("network trained on MAE", "mean_absolute_error"),
    ],
)
def test_the_networks_numbers_are_those_of_the_runs(model, loss):
    assert row(model)[:2] == digits(RUNS[loss].metrics["test"])


def test_the_linear_regressions_numbers_are_those_of_the_runs():
    for record in RUNS.values():
        assert row("linear regression")[:2] == digits(record.baseline["linear_regression"])


def test_the_courses_numbers_are_the_published_ones():
    published = [str(each["published"]) for each in RUNS["mean_squared_error"].published]
    assert row("linear regression")[2:] + row("network trained on MSE")[2:] == published


def test_the_shares_are_those_of_the_run():
    record = RUNS["mean_squared_error"]
    table = pd.read_csv(ROOT / "results" / "boston" / record.id / "predictions.csv")
    test = table[table["rows"] == "test"]
    size = np.sort((test["actual"] - test["network"]).abs().to_numpy())[::-1]
    squared, absolute = (size[:5] ** k for k in (2, 1))
    text = " ".join(README.split())
    assert f"make {100 * squared.sum() / np.sum(size**2):.0f} % of the squared error" in text
    assert f"and {100 * absolute.sum() / np.sum(size):.0f} % of its absolute error" in text


def test_the_speed_is_that_of_the_committed_benchmark():
    measured = pd.read_csv(ROOT / "benchmarks" / "results" / "boston.csv")
    wide = measured.pivot(index="round", columns="contender", values="seconds")
    median, ratios = wide.median(), wide["plain Keras"] / wide["nnloss"]
    memory = measured.groupby("contender")["MB"].max()
    text = " ".join(README.split())
    assert f"Plain Keras takes {median['plain Keras'] / median['nnloss']:.2f} times as long" in text
    assert f"({ratios.min():.2f} to {ratios.max():.2f} in single rounds)" in text
    for name, contender in (
        ("`exercises.boston`", "nnloss"),
        ("plain Keras", "plain Keras"),
        ("`exercises.boston --help`", "nnloss --help"),
    ):
        assert row(name) == [f"{median[contender]:.1f}", f"{memory[contender]:.0f}"]


def test_every_picture_and_link_is_there():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(targets) >= 4
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_code_does_what_it_says(python, tmp_path):
    (code,) = re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL)
    done = python("-c", code.replace('log="runs"', f"log={str(tmp_path)!r}"))
    assert done.returncode == 0, done.stderr
    promised = re.search(r"The last line prints\n\n((?:> .+\n)+)", README)[1]
    promised = " ".join(line.removeprefix("> ") for line in promised.splitlines())
    assert done.stdout.splitlines()[-1] == promised
    assert list(tmp_path.glob("sequential/*/run.json"))


def test_every_option_of_the_command_is_described(python):
    options = re.findall(r"--[a-z-]+", python("-m", "exercises.boston", "--help").stdout)
    assert {option for option in options if f"`{option}" not in README} == {"--help"}


def test_records_name_no_folder_of_a_machine():
    for record in RUNS.values():
        text = json.dumps(record.row()) + record.to_json()
        assert not re.search(r"/(home|root|work|tmp|Users)/", text)
