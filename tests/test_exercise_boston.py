"""The exercises as a student runs them: commands in processes of their own, on real data."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from benchmarks.__main__ import main as benchmark
from nnloss import RunRecord
from nnloss._tensorflow import keras

KEYS = """
    id exercise edition seed status task activation loss parameters epochs batch_size seconds.fit
    data.sha256 split.train split.test metrics.test.mean_squared_error
    metrics.test.mean_absolute_error baseline.linear_regression.mean_squared_error
    baseline.linear_regression.mean_absolute_error versions published
""".split()


@pytest.fixture
def boston(python):
    def run(*arguments, **environment):
        return python("-m", "exercises.boston", *map(str, arguments), **environment)

    return run


def folders(out: Path) -> list[Path]:
    return sorted((out / "boston").iterdir())


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """One quick run of both losses: its output and its folder."""
    out = tmp_path_factory.mktemp("both") / "runs"
    command = [sys.executable, "-m", "exercises.boston", "--loss", "both", "--quick", "--seed", "5"]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done, out


def test_a_run_leaves_all_of_it(both):
    _, out = both
    first, second = folders(out)
    for folder in (first, second):
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            ["run.json", "history.csv", "predictions.csv", "model.keras"]
            + [
                f"{name}.{ending}"
                for name in ("history", "predicted_vs_actual", "losses")
                for ending in ("png", "svg")
            ]
        )
    table = pd.read_csv(out / "results.csv")
    assert table["id"].tolist() == [first.name, second.name]
    assert table["loss"].tolist() == ["mean_squared_error", "mean_absolute_error"]


def test_the_record_has_the_fixed_keys(both):
    _, out = both
    record = RunRecord.read(folders(out)[0] / "run.json")
    for key in KEYS:
        assert record.get(key) is not None, key
    assert (record.status, record.quick, record.seed, record.edition) == ("finished", True, 5, 2023)
    assert (record.parameters, record.batch_size, record.epochs) == (3009, 32, 5)
    assert (record.task, record.activation) == ("regression", "linear")
    baseline = record.baseline["linear_regression"]
    assert baseline["mean_squared_error"] == pytest.approx(23.1955992564, abs=1e-8)
    assert baseline["mean_absolute_error"] == pytest.approx(3.4641858124, abs=1e-8)
    assert record.command == f"python -m exercises.boston --loss both --quick --seed 5 --out {out}"


def test_predictions_metrics_and_model_agree(both, split):
    _, out = both
    for folder in folders(out):
        record = RunRecord.read(folder / "run.json")
        predictions = pd.read_csv(folder / "predictions.csv")
        test = predictions[predictions["rows"] == "test"]
        assert len(test) == 102
        assert len(predictions) == 506
        error = test["actual"] - test["network"]
        measured = record.metrics["test"]
        assert measured["mean_squared_error"] == pytest.approx((error**2).mean())
        assert measured["sum_of_squared_errors"] == pytest.approx((error**2).sum())
        assert measured["root_mean_squared_error"] == pytest.approx((error**2).mean() ** 0.5)
        assert measured["mean_absolute_error"] == pytest.approx(error.abs().mean())
        mean, sd = split.x_train.mean(axis=0), split.x_train.std(axis=0, ddof=1)
        model = keras.saving.load_model(folder / "model.keras")
        again = model.predict((split.x_test - mean) / sd, verbose=0).ravel()
        assert again == pytest.approx(test["network"].to_numpy(), rel=1e-6)
        history = pd.read_csv(folder / "history.csv")
        assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
        assert history["val_mean_absolute_error"].iloc[-1] == pytest.approx(
            measured["mean_absolute_error"], rel=1e-5
        )


def test_what_is_printed(both):
    done, out = both
    text = " ".join(done.stdout.split())
    numbers = RunRecord.read(folders(out)[0] / "run.json").metrics["test"]
    assert f"{numbers['mean_squared_error']:#.6g}" in text
    assert "mean of the training prices, 22.40, and MAE at their median, 20.75" in text
    assert "linear regression: test MSE │ 23.1956 │ 23.1956 │ 0.0000 │" in text
    assert "linear regression: test MAE │ 3.464186 │ 3.464186 │ 0.000000 │" in text
    assert "network: test MSE" not in text
    assert (
        "trained for 5 epochs in batches of 32, the course's for 100 in batches of 32. Their"
        in text
    )
    assert str(folders(out)[1]) in text


def test_nothing_but_ours_is_on_standard_error(both):
    done, _ = both
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("Task 'regression': added Dense(1, ")]
    others = [
        line for line in lines if not line.startswith(("Task 'regression'", "network trained on M"))
    ]
    assert others == []
    assert "network trained on MSE: epoch 5/5  loss " in done.stderr


def test_the_comparison_of_losses_is_computed_from_the_run(both):
    done, out = both
    for name, folder in zip(("MSE", "MAE"), folders(out), strict=True):
        frame = pd.read_csv(folder / "predictions.csv").query("rows == 'test'")
        residuals = (frame["network"] - frame["actual"]).to_numpy()
        size = np.sort(np.abs(residuals))[::-1]
        squared = np.sum(size[:5] ** 2) / np.sum(size**2)
        row = next(
            line
            for line in done.stdout.splitlines()
            if f"trained on {name} │" in line and "%" in line
        )
        assert [cell.strip() for cell in row.split("│")[2:-1]] == [
            f"{frame['network'].mean():.2f}",
            f"{np.mean(residuals > 0):.0%}",
            f"{size[:5].sum() / size.sum():.0%}",
            f"{squared:.0%}",
        ]


def test_the_record_has_the_captions(both):
    _, out = both
    for name, folder in zip(("MSE", "MAE"), folders(out), strict=True):
        figures = RunRecord.read(folder / "run.json").figures
        assert list(figures) == ["history", "predicted_vs_actual", "losses"]
        assert f"trained on {name}" in figures["history"]


def test_the_same_seed_gives_the_same_bits_in_two_processes(both, lab, tmp_path):
    _, out = both
    for name, seed in (("same", 5), ("other", 6)):
        done = lab("boston", "--quick", "--seed", seed, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
    first, same, other = (
        RunRecord.read(folders(place)[0] / "run.json")
        for place in (out, tmp_path / "same", tmp_path / "other")
    )
    assert same.weights_sha256 == first.weights_sha256
    assert same.metrics == first.metrics
    assert other.weights_sha256 != first.weights_sha256


def test_the_full_run_is_where_it_should_be(lab, tmp_path):
    done = lab("boston", "--seed", 0, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    record = RunRecord.read(folders(tmp_path)[0] / "run.json")
    assert (record.epochs, record.epochs_trained, record.quick) == (100, 100, False)
    assert 18 < record.metrics["test"]["mean_squared_error"] < 24
    assert [each["published"] for each in record.published] == [
        23.1956, 3.464186, 21.91999, 2.906326,
    ]  # fmt: skip
    assert "not compared" not in done.stdout
    network = record.metrics["test"]["mean_squared_error"]
    assert f"{network:.5f} │  21.91999 │" in done.stdout
    assert "ours is the run with seed 0" in " ".join(done.stdout.split())


def test_the_edition_sets_the_batch_size(lab, tmp_path):
    options = ("--edition", 2024, "--epochs", 1, "--out", tmp_path)
    assert lab("boston", *options).returncode == 0
    record = RunRecord.read(folders(tmp_path)[0] / "run.json")
    assert (record.edition, record.batch_size, record.epochs) == (2024, 64, 1)
    assert record.published[2]["published"] == 23.34256


BAD = {
    "--epochs 0": "'--epochs': it must be a whole number of at least 1; found '0'",
    "--epochs ten": "'--epochs': it must be a whole number of at least 1; found 'ten'",
    "--batch-size -1": "'--batch-size': it must be a whole number from 1 to 2147483647; found '-1'",
    "--seed -1": "'--seed': it must be a whole number from 0 to 4294967295; found '-1'",
    "--seed 1.5": "'--seed': it must be a whole number from 0 to 4294967295; found '1.5'",
    "--edition 2022": "'2022' is not one of '2023', '2024'",
    "--loss huber": "'huber' is not one of 'mse', 'mae', 'both'",
    "--data-dir=": "'--data-dir': it must be the name of a folder; found ''",
    "--learning-rate 1": "No such option: --learning-rate",
    "--data-dir /nowhere": "The data folder '/nowhere' (--data-dir) must contain boston/boston_h",
}


@pytest.mark.parametrize(("arguments", "message"), BAD.items(), ids=BAD)
def test_a_wrong_option_is_one_line_and_writes_nothing(lab, tmp_path, arguments, message):
    done = lab("boston", *arguments.split(), "--out", tmp_path / "runs")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "2"], "'--rounds': it must be a whole number of at least 3; found '2'"),
        (["--out", "LICENSE"], "The output folder 'LICENSE' must be a folder"),
        (["--exercise", "wafer"], "The benchmarks of Wafer and CIFAR-10 need a folder with"),
        (["--exercise", "mnist"], "'mnist' is not one of 'boston', 'wafer', 'cifar10', 'all'"),
        (["--data-dir", "/nowhere"], "/nowhere"),
        (["--data-dir", "tests", "--exercise", "wafer"], "Wafer_TRAIN"),
        (["--part", "lunch"], "'lunch' is not one of 'training', 'start', 'rows', 'seeds', 'all'"),
    ],
)
def test_a_wrong_option_of_the_benchmark_is_one_line(typed, arguments, message):
    done = typed(benchmark, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line


def test_a_file_for_a_folder_is_one_line(boston, tmp_path):
    (tmp_path / "runs").write_text("mine")
    done = boston("--out", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: The output folder '{tmp_path / 'runs'}' must be a folder")
    assert (tmp_path / "runs").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_line(lab):
    done = lab("boston", "--out", "/proc/nnloss", "--quick")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The output folder '/proc/nnloss' must be a folder")


def test_a_spoilt_data_file_is_one_line_and_writes_nothing(lab, tmp_path):
    (tmp_path / "boston").mkdir()
    path = Path(shutil.copy(ROOT / "data" / "boston_housing.csv", tmp_path / "boston"))
    path.write_text(path.read_text().replace("15.2\n", "high\n", 1))
    done = lab("boston", "--data-dir", tmp_path, "--out", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "must have a finite number in every cell; found 'high' in column MEDV" in line
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_keeps_what_was_trained(tmp_path):
    command = [sys.executable, "-m", "exercises.boston", "--epochs", "3000"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen = next(line for line in process.stderr if "epoch 300/3000" in line)
    path = next(tmp_path.glob("boston/*/run.json"))
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.splitlines()[-2:] == [
        f"Run interrupted; partial results are in {next(tmp_path.glob('boston/*'))}",
        "Interrupted.",
    ]
    assert "Traceback" not in seen + errors
    record = RunRecord.read(path)
    assert record.status == "interrupted"
    assert 300 <= record.epochs_trained < 3000
    assert len(pd.read_csv(path.parent / "history.csv")) == record.epochs_trained
    assert pd.read_csv(tmp_path / "results.csv")["status"].tolist() == ["interrupted"]


@pytest.mark.slow
def test_a_bar_is_drawn_at_a_terminal(tmp_path):
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "exercises.boston", "--quick", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=child,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(child)
    seen = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        seen += part
    os.close(parent)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    assert "━" in text
    assert "epoch 5/5" in text


def test_help_names_every_option(lab):
    done = lab("boston", "--help")
    assert done.returncode == 0
    for option in ("seed", "epochs", "batch-size", "loss", "edition", "out", "data-dir", "quick"):
        assert f"--{option}" in done.stdout
