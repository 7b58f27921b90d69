"""Exercise 11.4 as a student runs it: a command in a process of its own, on real data."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from nnloss import RunRecord, Split
from nnloss._tensorflow import keras
from nnloss.course import cifar10
from nnloss.course.confusion import confusion

FIGURES = ("history", "confusion_matrix", "most_confused", "examples", "train_test_gap")
KEYS = """
    id exercise edition seed status task activation loss augment parameters epochs batch_size
    seconds.fit seconds.softmax_regression data.sha256 data.arrays_sha256 split.train split.test
    metrics.test.accuracy metrics.test.loss metrics.test.misclassification_error
    metrics.train.accuracy baseline.softmax_regression.accuracy published
""".split()


@pytest.fixture(scope="module")
def quick(tmp_path_factory, data):
    """One quick run of both networks: its output, its folder and its records."""
    out = tmp_path_factory.mktemp("quick") / "runs"
    options = ["--quick", "--augment", "--edition", "2024", "--data-dir", str(data)]
    done = subprocess.run(
        [sys.executable, "-m", "exercises.cifar10", *options, "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [RunRecord.read(path) for path in sorted(out.glob("cifar10/*/run.json"))]
    return done, out, found


@pytest.mark.slow
def test_a_run_leaves_all_of_it(quick):
    _, out, (plain, augmented) = quick
    for record in (plain, augmented):
        assert sorted(path.name for path in (out / "cifar10" / record.id).iterdir()) == sorted(
            ["run.json", "history.csv", "predictions.csv", "confusion_matrix.csv", "model.keras"]
            + [f"{name}.{ending}" for name in FIGURES for ending in ("png", "svg")]
        )
    table = pd.read_csv(out / "results.csv")
    assert table["augment"].tolist() == [False, True]


@pytest.mark.slow
def test_the_records(quick):
    _, _, (plain, augmented) = quick
    for record in (plain, augmented):
        assert [key for key in KEYS if record.get(key) is None] == []
        assert (record.status, record.quick, record.edition) == ("finished", True, 2024)
        assert (record.parameters, record.epochs, record.task) == (167_562, 3, "multiclass")
        assert record.split == {"train": 10_000, "test": 10_000}
        assert 0.4 < record.metrics["test"]["accuracy"] < 0.6
        assert record.baseline["softmax_regression"]["accuracy"] == pytest.approx(0.39, abs=0.01)
        assert record.seconds["softmax_regression"] > 0
    assert (plain.augment, plain.batch_size) == (False, 32)
    assert (augmented.augment, augmented.batch_size) == (True, 64)
    assert [each["published"] for each in plain.published] == [1.564002, 0.6814]
    assert [each["published"] for each in augmented.published] == [0.9079457, 0.6981]
    assert plain.weights_sha256 != augmented.weights_sha256


@pytest.mark.slow
def test_predictions_metrics_and_matrix_agree(quick):
    _, out, found = quick
    for record in found:
        place = out / "cifar10" / record.id
        predictions = pd.read_csv(place / "predictions.csv")
        right = (predictions["actual"] == predictions["predicted"]).mean()
        measured = record.metrics["test"]
        assert measured["accuracy"] == pytest.approx(right)
        assert measured["misclassification_error"] == pytest.approx(1 - right)
        matrix = pd.read_csv(place / "confusion_matrix.csv", index_col="actual")
        assert matrix.index.tolist() == matrix.columns.tolist()
        assert matrix.sum(axis=1).tolist() == [1000] * 10
        assert np.trace(matrix.to_numpy()) / 10_000 == pytest.approx(right)
        taken = predictions.value_counts(["actual", "predicted"])
        assert matrix.loc["cat", "dog"] == taken["cat", "dog"]
        assert predictions["row"].tolist() == list(range(10_000))
        history = pd.read_csv(place / "history.csv")
        assert history["val_accuracy"].iloc[-1] == pytest.approx(right, abs=1e-6)


@pytest.mark.slow
def test_what_is_printed(quick):
    done, _, (plain, augmented) = quick
    text = " ".join(done.stdout.split())
    assert "10,000 training and 10,000 test images." in text
    assert f"softmax regression │ {plain.baseline['softmax_regression']['accuracy']:.4f} │" in text
    for name, record in (("network", plain), ("augmented network", augmented)):
        test = record.metrics["test"]
        assert (
            f"│ {name} │ {test['accuracy']:.4f} │ {test['misclassification_error']:.4f} │ "
            f"{test['loss']:.4f} │"
        ) in text
        train = record.metrics["train"]["accuracy"]
        gap = abs(train - test["accuracy"])
        assert f"accuracy │ {train:.4f} │ {test['accuracy']:.4f} │ {gap:.4f} │" in text
    assert "trained for 3 epochs in batches of 32, the course's for 20 in batches of 32" in text
    assert "steps of the quasi-Newton method L-BFGS). It is right for " in text
    assert "…" not in done.stdout


@pytest.mark.slow
def test_nothing_but_ours_is_on_standard_error(quick):
    done, _, _ = quick
    starts = (
        "CIFAR-10: reading 60,000 images",
        "Task 'multiclass': added Dense(10",
        "network: epoch ",
        "augmented network: epoch ",
    )
    assert [line for line in done.stderr.splitlines() if not line.startswith(starts)] == []


@pytest.fixture
def images():
    """Make a split of random images."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (96, 32, 32, 3)).astype(np.uint8)
    y = np.arange(96) % 10
    names = tuple("abcdefghij")
    return Split(x[:64], y[:64], x[64:], y[64:], np.arange(64), np.arange(32), classes=names)


def test_augmentation_changes_images_in_training_only():
    body = cifar10.network(augment=True)
    kinds = [type(layer).__name__ for layer in body.layers]
    assert kinds[:3] == ["Rescaling", "RandomAffine", "Conv2D"]
    front = keras.Sequential(body.layers[:2])
    x = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)).astype(np.uint8)
    still = np.asarray(front(x, training=False))
    assert still == pytest.approx(x / 255, abs=1e-6)
    first, second = (np.asarray(front(x, training=True)) for _ in range(2))
    assert np.abs(first - still).mean() > 0.05
    assert np.abs(first - second).mean() > 0.05
    assert (first.min() >= 0, first.max() <= 1 + 1e-6) == (True, True)


def test_augmentation_is_the_courses():
    (layer,) = (each for each in cifar10.network(augment=True).layers if "affine" in each.name)
    assert (layer.rotation, layer.shift, layer.flip) == (10.0, 0.1, True)
    assert layer.seed is None  # from that of the run


SEEDED = """
import runpy
import sys
import numpy as np
import nnloss
rng = np.random.default_rng(0)
x, y = rng.integers(0, 256, (96, 32, 32, 3)).astype(np.uint8), np.arange(96) % 10
rows = np.arange(48)
split = nnloss.Split(x[:48], y[:48], x[48:], y[48:], rows, rows, classes=tuple("abcdefghij"))
nnloss.load_cifar10 = lambda folder: split
out = sys.argv[1]
for seed in sys.argv[2:]:
    options = ["--augment", "--epochs", "2", "--batch-size", "16", "--seed", seed, "--out", out]
    sys.argv = ["exercises.cifar10", *options]
    found = runpy.run_module("exercises.cifar10", run_name="__main__", alter_sys=True)
    print("sum", found["lab"].runs["augmented network"].record.weights_sha256)
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_in_two_processes(python, tmp_path):
    sums = []
    for seeds in (("3", "4"), ("3",)):
        done = python("-c", SEEDED, str(tmp_path), *seeds)
        assert done.returncode == 0, done.stderr
        sums += [line for line in done.stdout.splitlines() if line.startswith("sum ")]
    assert sums[0] == sums[2] != sums[1]


def test_the_most_confused_pairs_are_found(images):
    predicted = images.y_test.copy()
    predicted[images.y_test == 3] = 5
    probabilities = np.eye(10)[predicted] * 0.9
    first = np.flatnonzero(images.y_test == 3)[1]
    probabilities[first, 5] = 0.95
    counts = confusion(images, predicted)
    found = cifar10.most_confused(images, probabilities, counts)
    (name,) = found
    assert name == f"d, taken for\nf: {np.sum(images.y_test == 3)}"
    assert np.array_equal(found[name][0], images.x_test[first])
    assert cifar10.accuracy_and_error(counts)["misclassification_error"] == pytest.approx(
        np.mean(images.y_test == 3)
    )


def test_accuracy_by_class_is_a_share_of_the_actual_ones():
    names = ["a", "b"]
    counts = pd.DataFrame([[8, 2], [30, 60]], index=names, columns=names)
    assert cifar10.table_by_class({"net": counts}).to_dict("list") == {
        "class": names, "net": ["0.800", "0.667"],
    }  # fmt: skip


def test_the_table_on_augmentation_has_the_gaps():
    measured = {
        "plain": {"train": {"accuracy": 0.9, "loss": 0.25}, "test": {"accuracy": 0.7, "loss": 1.0}},
        "other": {
            "train": {"accuracy": 0.75, "loss": 0.5},
            "test": {"accuracy": 0.72, "loss": 0.8},
        },
    }
    assert cifar10.gap_table(measured)["gap"].tolist() == ["0.2000", "0.0300", "0.7500", "0.3000"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--loss cce", "No such option: --loss"),
        ("--edition 2022", "'2022' is not one of '2023', '2024'"),
        ("--data-dir /nowhere", "The data folder '/nowhere' (--data-dir) must contain tensorflow_"),
        ("--quick", "/cifar10/3.0.2' or on the web; found neither: https://www.cs.toronto.edu/"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(lab, tmp_path, offline, arguments, message):
    done = lab("cifar10", *arguments.split(), "--out", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert not (tmp_path / "runs").exists()
    assert not list(tmp_path.glob("tfds/**/*.*"))


def test_help_names_every_option(lab):
    text = lab("cifar10", "--help").stdout
    options = "seed epochs batch-size augment no-augment edition out data-dir quick"
    for option in options.split():
        assert f"--{option}" in text
