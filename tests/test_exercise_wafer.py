"""Exercise 11.5 as a student runs it: commands in processes of their own, on real data."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from sklearn.metrics import average_precision_score, roc_auc_score

from nnloss import RunRecord, likelihoods, load_wafer
from nnloss._tensorflow import keras

FILES = """
    run.json history.csv predictions.csv confusion_matrix.csv algebra.csv model.keras
""".split()
FIGURES = ("history", "confusion_matrix", "roc_and_precision_recall", "examples", "all_models")
KEYS = """
    id exercise edition seed status task activation loss parameters epochs batch_size seconds.fit
    data.sha256 data.arrays_sha256 split.train split.test metrics.test.accuracy metrics.test.loss
    metrics.test.balanced_accuracy metrics.train.accuracy baseline.logistic_regression.accuracy
    baseline.ridge_logistic_regression.accuracy baseline.all_normal.balanced_accuracy published
""".split()


def records(out):
    found = [RunRecord.read(path) for path in sorted(out.glob("wafer/*/run.json"))]
    return {record.loss: record for record in found}


def name_of(record):
    return {"softmax": "network_on_CCE", "sigmoid": "network_on_BCE"}[record.activation]


def folder(out, record):
    return out / "wafer" / record.id


@pytest.fixture(scope="module")
def both(tmp_path_factory, data):
    """One full run of both losses: its output and its folder."""
    out = tmp_path_factory.mktemp("both") / "runs"
    command = [sys.executable, "-m", "exercises.wafer", "--loss", "both", "--data-dir", str(data)]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done, out


@pytest.mark.slow
def test_a_run_leaves_all_of_it(both):
    _, out = both
    for record in records(out).values():
        assert sorted(path.name for path in folder(out, record).iterdir()) == sorted(
            [*FILES, *(f"{name}.{end}" for name in FIGURES for end in ("png", "svg"))]
        )
    assert len(pd.read_csv(out / "results.csv")) == 2


@pytest.mark.slow
def test_the_records(both):
    _, out = both
    found = records(out)
    assert {loss: record.parameters for loss, record in found.items()} == {
        "categorical_crossentropy": 10_994, "binary_crossentropy": 9_969,
    }  # fmt: skip
    assert {loss: (record.task, record.activation) for loss, record in found.items()} == {
        "categorical_crossentropy": ("multiclass", "softmax"),
        "binary_crossentropy": ("binary", "sigmoid"),
    }
    for record in found.values():
        assert [key for key in KEYS if record.get(key) is None] == []
        assert (record.status, record.quick, record.seed) == ("finished", False, 0)
        assert (record.epochs_trained, record.batch_size, record.edition) == (100, 64, 2023)
        assert record.split == {"train": 1000, "test": 6164}
        assert record.metrics["test"]["accuracy"] >= 0.994
        assert record.augment is None


@pytest.mark.slow
def test_the_classical_models(both):
    _, out = both
    baseline = records(out)["binary_crossentropy"].baseline
    assert baseline["logistic_regression"]["accuracy"] == pytest.approx(0.9018494484, abs=1e-9)
    assert baseline["all_normal"]["accuracy"] == pytest.approx(5499 / 6164)
    assert baseline["all_normal"]["balanced_accuracy"] == 0.5
    assert baseline["ridge_logistic_regression"]["accuracy"] > 0.92
    # By the logits: of the probabilities most are exactly 0 or 1.
    assert baseline["logistic_regression"]["roc_auc"] == pytest.approx(0.7985, abs=1e-3)
    assert baseline["logistic_regression"]["average_precision"] == pytest.approx(0.5079, abs=1e-3)


@pytest.mark.slow
def test_predictions_metrics_matrix_and_model_agree(both, data):
    _, out = both
    split = load_wafer(data)
    for record in records(out).values():
        place = folder(out, record)
        predictions = pd.read_csv(place / "predictions.csv")
        measured = record.metrics["test"]
        right = predictions["actual"] == predictions["predicted"]
        assert measured["accuracy"] == pytest.approx(right.mean(), abs=1e-12)
        assert measured["balanced_accuracy"] == pytest.approx(
            right.groupby(predictions["actual"]).mean().mean()
        )
        found = predictions["actual"] == "abnormal"
        for name, judge in (
            ("roc_auc", roc_auc_score),
            ("average_precision", average_precision_score),
        ):
            assert measured[name] == pytest.approx(
                judge(found, predictions[f"logit_{name_of(record)}"])
            )
        matrix = pd.read_csv(place / "confusion_matrix.csv", index_col="actual")
        assert matrix.sum(axis=1).to_dict() == {"abnormal": 665, "normal": 5499}
        assert np.trace(matrix.to_numpy()) == right.sum()
        model = keras.saving.load_model(place / "model.keras")
        p = model.predict(split.x_test[..., None], batch_size=1000, verbose=0)
        p_abnormal = p[:, 0] if p.shape[1] == 2 else 1 - p[:, 0]
        assert p_abnormal == pytest.approx(
            predictions[f"p_abnormal_{name_of(record)}"].to_numpy(), abs=1e-6
        )
        # From the logits, as in the run: a probability of 1 has lost what the row costs.
        loss = likelihoods.binary_cross_entropy_from_logits(
            found.astype(float), predictions[f"logit_{name_of(record)}"]
        )
        assert measured["loss"] == pytest.approx(loss, rel=1e-3)
        guess = predictions["p_abnormal_logistic_regression"] > 0.5
        said = np.where(guess, "abnormal", "normal") == predictions["actual"]
        assert said.mean() == pytest.approx(record.baseline["logistic_regression"]["accuracy"])


@pytest.mark.slow
def test_the_algebra_holds(both):
    done, out = both
    for record in records(out).values():
        checked = pd.read_csv(folder(out, record) / "algebra.csv")
        assert len(checked) == 4
        assert (checked["difference"] <= checked["tolerance"]).all()
        # On the same probabilities it is the loss of the network on CCE.
        loss = records(out)["categorical_crossentropy"].metrics["test"]["loss"]
        assert checked["left"].iloc[3] == pytest.approx(loss, rel=1e-4)
    assert done.stdout.count("│ yes") == 4
    assert "NO" not in done.stdout


@pytest.mark.slow
def test_what_is_printed(both):
    done, out = both
    text = " ".join(done.stdout.split())
    assert "1,000 training and 6,164 test series of length 152." in text
    assert "abnormal │ 97 │ 665 │" in text
    assert "normal │ 903 │ 5499 │" in text
    assert "a hyperplane separates the classes, and no finite estimate exists" in text
    assert "probabilities have become the labels (PerfectSeparationWarning), and the exp" in text
    for record in records(out).values():
        matrix = pd.read_csv(folder(out, record) / "confusion_matrix.csv", index_col="actual")
        missed, alarms = matrix.loc["abnormal", "normal"], matrix.loc["normal", "abnormal"]
        name = name_of(record).replace("_", " ")
        error = 1 - record.metrics["test"]["accuracy"]
        assert f"The {name} misses {missed} of 665 abnormal series and raises {alarms}" in text
        assert f"error is {error:.2%}, and 6.57% for the ridge logistic regression." in text
        assert re.search(rf"{name} │.*?│ {missed} │ {alarms} │", text)
    assert "Parameters of the networks on CCE and on BCE: 10,994 and 9,969." in text
    assert "logistic regression: test accuracy │ 0.9018494 │ 0.9018494 │ 0.0000000 │" in text
    accuracy = records(out)["categorical_crossentropy"].metrics["test"]["accuracy"]
    assert f"network: test accuracy │ {accuracy:.7f} │ 0.9969176 │" in text
    assert "all normal │ 0.8921 │ 0.5000 │" in text
    assert "…" not in done.stdout  # no cell is cut


@pytest.mark.slow
def test_nothing_but_ours_is_on_standard_error(both):
    done, _ = both
    starts = ("Wafer: label -1 (abnormal) is class 0, label 1", "Task '", "network on ")
    assert [line for line in done.stderr.splitlines() if not line.startswith(starts)] == []


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_in_two_processes(python, lab, data, tmp_path):
    options = ("--quick", "--loss", "bce", "--edition", "2024", "--data-dir", str(data), "--seed")
    done = python("-m", "exercises.wafer", *options, "5", "--out", str(tmp_path / "a"))
    assert done.returncode == 0, done.stderr
    for place, seed in (("b", 5), ("c", 6)):
        again = lab("wafer", *options, seed, "--out", tmp_path / place)
        assert again.returncode == 0, again.stderr
    first, same, other = (records(tmp_path / place)["binary_crossentropy"] for place in "abc")
    assert same.weights_sha256 == first.weights_sha256
    assert same.metrics == first.metrics
    assert other.weights_sha256 != first.weights_sha256
    assert (first.quick, first.epochs, first.edition) == (True, 5, 2024)
    assert [each["published"] for each in first.published] == [0.9018494]
    assert "The course has no network" not in done.stdout  # 5 epochs say enough
    assert "trained for 5 epochs in batches of 64, the course's for 100" in " ".join(
        done.stdout.split()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--loss mse", "'mse' is not one of 'cce', 'bce', 'both'"),
        ("--epochs 0", "'--epochs': it must be a whole number of at least 1; found '0'"),
        ("--data-dir /nowhere", "The data folder '/nowhere' (--data-dir) must contain wafer/Wafer"),
        ("", "The Wafer files Wafer_TRAIN and Wafer_TEST must be in '"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(lab, tmp_path, offline, arguments, message):
    done = lab("wafer", *arguments.split(), "--out", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert not (tmp_path / "runs").exists()


def test_a_spoilt_file_is_one_line_and_writes_nothing(lab, data, tmp_path):
    (tmp_path / "wafer").mkdir()
    for name in ("Wafer_TRAIN.tsv", "Wafer_TEST.tsv"):
        shutil.copyfile(data / "wafer" / name, tmp_path / "wafer" / name)
    path = tmp_path / "wafer" / "Wafer_TRAIN.tsv"
    path.write_bytes(re.sub(rb"^1\t", b"2\t", path.read_bytes()))
    done = lab("wafer", "--data-dir", tmp_path, "--out", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert f"Error: '{path}' must have the labels -1 and 1; found 2 in row 1" in line
    assert not (tmp_path / "runs").exists()


def test_help_names_every_option(lab):
    text = lab("wafer", "--help").stdout
    for option in ("seed", "epochs", "batch-size", "loss", "edition", "out", "data-dir", "quick"):
        assert f"--{option}" in text
