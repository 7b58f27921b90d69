"""``python -m exercises.losses`` and its four labs as a student runs them, on real data."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from nnloss import RunRecord
from nnloss.plots.captions import CAPTIONS
from nnloss.theory import backpropagation
from nnloss.theory import command as losses
from nnloss.theory.claims import same
from nnloss.theory.sizes import QUICK

TOPICS = {
    "MSE: Gaussian", "BCE: Bernoulli", "CCE: multinomial", "MAE: Laplace, no GLM", "one minimiser",
    "Poisson loss: Poisson, log link", "BCE: k times Bernoulli, logit link",
    "MSE: k times Gaussian, identity link", "softmax", "cross-entropy", "GLM twins",
    "linear hidden layer", "double softmax",
    "landscape of least squares", "backpropagation",
}  # fmt: skip
LABS = {  # and their figures and tables
    "identities": ([], ["claims"]),
    "glm_twins": (["twins"], ["claims", "relu"]),
    "pitfalls": (["gradients", "pitfalls"], ["claims", "pitfalls"]),
    "inside": (["landscape", "one_parameter", "hidden_states", "feature_map"], ["claims"]),
}
FIGURES = {figure: CAPTIONS[figure] for figures, _ in LABS.values() for figure in figures}


def run_quick(exercise, out, data):
    """Run an exercise; return its output, its record and its folder."""
    command = [sys.executable, "-m", f"exercises.{exercise}", "--quick", "--data-dir", str(data)]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (path,) = out.glob(f"{exercise}/*/run.json")
    return done, RunRecord.read(path), path.parent


@pytest.fixture(scope="module")
def quick(tmp_path_factory, data):
    """One quick run of all questions."""
    return run_quick("losses", tmp_path_factory.mktemp("losses") / "runs", data)


@pytest.fixture(scope="module", params=LABS)
def lab(request, tmp_path_factory, data):
    """One quick run of a lab, with its name."""
    return request.param, *run_quick(request.param, tmp_path_factory.mktemp(request.param), data)


def flat(text):
    return " ".join(text.split())


@pytest.mark.slow
def test_a_run_leaves_all_of_it(quick):
    done, record, folder = quick
    assert (record.status, record.exercise, record.quick, record.seed) == (
        "finished", "losses", True, 0,
    )  # fmt: skip
    assert set(record.data) == {"boston", "wafer"}
    assert all(len(each["sha256"]) == 64 for each in record.data.values())
    assert record.figures == FIGURES
    for name in FIGURES:
        assert (folder / f"{name}.png").stat().st_size > 10_000
        assert (folder / f"{name}.svg").exists()
    assert f"Run 'losses':\n    {folder}\n" in done.stdout
    rows = pd.read_csv(folder.parents[1] / "results.csv")
    assert rows["id"].tolist() == [record.id]


@pytest.mark.slow
def test_all_claims_hold_and_both_numbers_are_kept(quick):
    done, record, folder = quick
    assert {each["topic"] for each in record.claims} == TOPICS
    assert len(record.claims) >= 45
    for each in record.claims:
        assert each["holds"] is (each["difference"] <= each["tolerance"]) is True
        allowed = each["tolerance"] * (abs(each["left"]) if each["relative"] else 1)
        assert abs(each["left"] - each["right"]) <= allowed + 1e-15
    assert f"{len(record.claims)} of {len(record.claims)} claims hold on" in done.stdout
    table = pd.read_csv(folder / "claims.csv")
    np.testing.assert_allclose(table["left"], [each["left"] for each in record.claims])


@pytest.mark.slow
def test_the_tolerances_are_those_that_were_asked_for(quick):
    _, record, _ = quick
    by_topic = {(each["topic"], each["claim"]): each for each in record.claims}
    for pair in ("linear + MSE", "sigmoid + BCE", "softmax + CCE"):
        assert by_topic["GLM twins", f"{pair}: coefficients"]["tolerance"] == 1e-4
        likelihood = by_topic["GLM twins", f"{pair}: log-likelihood"]
        assert (likelihood["tolerance"], likelihood["relative"]) == (1e-8, True)
        assert by_topic["backpropagation", f"{pair}: by hand = by Keras"]["tolerance"] == 1e-6


@pytest.mark.slow
def test_it_prints_one_page_with_the_numbers_of_the_record(quick):
    done, record, folder = quick
    assert len(done.stdout.splitlines()) <= 55
    assert max(map(len, done.stdout.replace(str(folder), "").splitlines())) <= 100
    text = flat(done.stdout)
    assert "No plane separates Boston's classes" in text
    assert "A plane separates Wafer's classes" in text
    assert "Quick run: 4 of 20 seeds, 20 of 100 epochs" in text
    by_question = [int(n) for n in re.findall(r"(\d+) of \1 claims hold \(", text)]
    assert sum(by_question) == len(record.claims)
    twins = max(each["difference"] for each in record.claims if each["topic"] == "GLM twins")
    assert f"12 of 12 claims hold (difference {twins:.1g}, allowed 1e-04)" in text
    runs = pd.read_csv(folder / "pitfalls.csv")
    assert runs["pairing"].nunique() == 8
    assert len(runs) == (4 * 2 + 4) * QUICK.seeds * QUICK.pairing_epochs
    last = runs[runs["epoch"] == QUICK.pairing_epochs].groupby(["pairing", "bias"])["accuracy"]
    mean, worst = last.mean(), last.min()
    mse, bce = (mean[f"sigmoid + {loss}", 0] for loss in ("MSE", "BCE"))
    assert f"the accuracy of a sigmoid is {mse:.4f} with MSE and {bce:.4f} with BCE" in text
    pairing, bias = mean.idxmin()
    ((first, second),) = re.findall(
        rf"│ {re.escape(pairing)} │ ([\d.]+) │ ([\d.]+) │ 0 of 4 │", text
    )
    assert float(first) == pytest.approx(mean.min(), abs=6e-4)
    assert float(second) == pytest.approx(worst[pairing, bias], abs=6e-4)
    relu = pd.read_csv(folder / "relu.csv")["val_mean_squared_error"].mean()
    assert f"the mean of 4 seeds is {relu:.1f} after 20 epochs" in text
    assert "nan" not in text
    assert "Traceback" not in done.stderr


@pytest.fixture
def one_answer(monkeypatch):
    """Replace the questions by one, with a claim that does not hold."""
    wrong = same("the topic", "one is two", 1.0, 2.0, 0.1)
    table = pd.DataFrame({"model": ["a model"], "test MSE": [23.5]})
    answer = losses.Answer(
        "A question?", "A result.", [wrong], table, {"A table": table}, "Some details."
    )
    monkeypatch.setattr(losses, "answers", lambda work: iter([answer]))


def test_a_claim_that_fails_is_named_and_the_exit_status_is_1(typed, tmp_path, data, one_answer):
    done = typed(losses.main, "--out", tmp_path, "--data-dir", data)
    assert done.returncode == 1
    printed = flat(done.stdout)
    assert "0 of 1 claims hold (difference 1, allowed 1e-01) A result." in printed
    assert "Does not hold: the topic, one is two; the difference is 1.0e+00" in printed
    assert "0 of 1 claims hold on this machine" in printed
    (path,) = tmp_path.glob("losses/*/run.json")
    assert json.loads(path.read_text())["claims"][0]["holds"] is False


@pytest.mark.parametrize("option", [[], ["--all"]])
def test_all_tables_are_printed_only_when_asked_for(typed, tmp_path, data, one_answer, option):
    done = typed(losses.main, "--out", tmp_path, "--data-dir", data, *option)
    assert done.stdout.count("23.5") == 1 + len(option)
    for text in ("Some details.", "A table", "│ one is two │    1 │     2 │"):
        assert (text in done.stdout) is bool(option)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--data-dir", "nowhere"], "'nowhere"),
        (["--out", "README.md"], "'README.md' is a file"),
        (["--seed", "-1"], "found '-1'"),
        (["--seed", "4294967295"], "from 0 to 4294967276; found '4294967295'"),
        (["--epochs", "3"], "No such option: --epochs"),
    ],
)
def test_wrong_input_is_one_line(arguments, found, typed):
    done = typed(losses.main, *arguments)
    assert done.returncode == 2
    assert found in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_training_loop_has_twelve_lines():
    code = inspect.getsource(backpropagation.training_loop).splitlines()
    assert len([line for line in code if line.strip() and '"""' not in line]) <= 12


def test_a_lab_leaves_its_claims_figures_and_captions(lab):
    name, done, record, folder = lab
    figures, tables = LABS[name]
    assert (record.status, record.exercise, record.quick) == ("finished", name, True)
    assert record.figures == {figure: CAPTIONS[figure] for figure in figures}
    assert {path.name for path in folder.iterdir()} == {
        "run.json",
        *(f"{table}.csv" for table in tables),
        *(f"{figure}.{ending}" for figure in figures for ending in ("png", "svg")),
    }
    assert all(each["holds"] for each in record.claims)
    assert len(pd.read_csv(folder / "claims.csv")) == len(record.claims)
    assert "Traceback" not in done.stderr


def test_a_lab_prints_its_headings_claims_and_captions(lab):
    name, done, record, _ = lab
    text = flat(done.stdout)
    source = (ROOT / "exercises" / f"{name}.py").read_text(encoding="utf-8")
    lines = [line.strip() for line in done.stdout.splitlines()]
    for title in re.findall(r"^# #+ (.+)", source, re.MULTILINE):
        assert lines.count(title) == 1, title
    for figure in record.figures:
        assert f"[{figure}.png] {CAPTIONS[figure]}" in text
    total = len(record.claims)
    assert f"{total} of {total} claims hold" in text
    long = {each["topic"] for each in record.claims if len(each["claim"]) > 42}  # broken into lines
    for each in record.claims:
        if each["topic"] not in long:
            assert f"│ {each['claim']} │ {each['left']:.5g} │" in text
    assert "nan" not in text


@pytest.mark.slow
def test_a_lab_computes_what_the_command_computes(lab, quick):
    name, _, record, folder = lab
    _, all_, whole = quick
    topics = {each["topic"] for each in record.claims}
    theirs = [each for each in all_.claims if each["topic"] in topics]
    assert [each for each in theirs if each not in record.claims] == []
    figures, tables = LABS[name]
    for same_file in (
        *(f"{each}.png" for each in figures),
        *(f"{each}.csv" for each in tables[1:]),
    ):
        assert (folder / same_file).read_bytes() == (whole / same_file).read_bytes()


def test_a_lab_with_a_claim_that_fails_exits_with_status_1(python, tmp_path):
    code = f"""
import runpy, sys
from nnloss.theory import identities
from nnloss.theory.claims import same
identities.softmax = lambda *_: [same("the topic", "one is two", 1.0, 2.0, 0.1)]
sys.argv = ["identities", "--out", {str(tmp_path)!r}]
runpy.run_module("exercises.identities", run_name="__main__", alter_sys=True)
"""
    done = python("-c", code)
    assert "│ one is two │" in done.stdout
    assert "│ NO" in done.stdout
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("name", LABS)
def test_a_lab_with_wrong_input_is_one_line(name, python, tmp_path):
    done = python("-m", f"exercises.{name}", "--data-dir", "nowhere", "--out", str(tmp_path / "x"))
    assert done.returncode == 2
    (line,) = [each for each in done.stderr.splitlines() if not each.startswith("Wafer: ")]
    assert line.startswith("Error: ")
    assert "'nowhere" in line
    assert not (tmp_path / "x").exists()
