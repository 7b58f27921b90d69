"""``python -m exercises.losses`` as a student runs it, on real data."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from nnloss import RunRecord
from nnloss.theory import command as losses
from nnloss.theory.claims import same

FIGURES = (
    "twins", "gradients", "pitfalls", "landscape", "one_parameter", "hidden_states", "feature_map",
)  # fmt: skip
TOPICS = {
    "MSE: Gaussian", "BCE: Bernoulli", "CCE: multinomial", "MAE: Laplace, no GLM", "one minimiser",
    "Poisson loss: Poisson, log link", "BCE: k times Bernoulli, logit link",
    "MSE: k times Gaussian, identity link", "softmax", "cross-entropy", "GLM twins",
    "linear hidden layer", "double softmax",
    "landscape of least squares", "backpropagation",
}  # fmt: skip


@pytest.fixture(scope="module")
def quick(tmp_path_factory, data):
    """One quick run: its output, its record and its folder."""
    out = tmp_path_factory.mktemp("losses") / "runs"
    command = [sys.executable, "-m", "exercises.losses", "--quick", "--data-dir", str(data)]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (path,) = out.glob("losses/*/run.json")
    return done, RunRecord.read(path), path.parent


@pytest.mark.slow
def test_a_run_leaves_all_of_it(quick):
    done, record, folder = quick
    assert (record.status, record.exercise, record.quick, record.seed) == (
        "finished", "losses", True, 0,
    )  # fmt: skip
    assert set(record.data) == {"boston", "wafer"}
    assert all(len(each["sha256"]) == 64 for each in record.data.values())
    for name in FIGURES:
        assert (folder / f"{name}.png").stat().st_size > 10_000
        assert (folder / f"{name}.svg").exists()
    assert f"Saved to {folder}" in done.stdout
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
    assert f"{len(record.claims)} of {len(record.claims)} claims hold" in done.stdout
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
def test_it_prints_what_was_found(quick):
    done, _, folder = quick
    assert "No plane separates Boston's districts" in done.stdout
    assert "A plane separates Wafer's normal and abnormal series" in done.stdout
    assert "cannot get below a loss of 0.3133" in done.stdout
    assert re.search(r"gradient of BCE is -1\.0000, that of MSE\s+-0\.000012", done.stdout)
    assert "Traceback" not in done.stderr
    runs = pd.read_csv(folder / "pitfalls.csv")
    assert runs["pairing"].nunique() == 8
    assert len(runs) == (4 * 2 + 4) * losses.QUICK["seeds"] * losses.QUICK["pitfalls"]
    assert "nan" not in done.stdout


def test_a_claim_that_fails_is_named_and_the_exit_status_is_1(tmp_path, data, monkeypatch, capsys):
    wrong = same("the topic", "one is two", 1.0, 2.0, 0.1)
    monkeypatch.setattr(losses, "identities", lambda *_: [wrong])
    for name in ("glm_twins", "hidden_layers", "pitfalls", "landscape", "backpropagation"):
        monkeypatch.setattr(losses, name, lambda *_: [])
    monkeypatch.setattr(losses, "trained", lambda *_: (None, {}))
    monkeypatch.setattr(losses, "hidden_states", lambda *_: None)
    with pytest.raises(losses.typer.Exit) as ended:
        losses.main(out=tmp_path, data_dir=data)
    assert ended.value.exit_code == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "Does not hold: the topic, one is two; the difference is 1.0e+00" in printed
    assert "0 of 1 claims hold" in printed
    (path,) = tmp_path.glob("losses/*/run.json")
    assert json.loads(path.read_text())["claims"][0]["holds"] is False


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
    import inspect

    code = inspect.getsource(losses.training_loop).splitlines()
    assert len([line for line in code if line.strip() and '"""' not in line]) <= 12
