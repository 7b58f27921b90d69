"""The benchmark: who runs when, what is compared, what a run of a script gives."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import arrays, plot
from benchmarks.measuring import measure

ROWS = {"boston": 404, "wafer": 1000, "cifar10": 50_000}


@pytest.mark.parametrize("torch", [True, False])
def test_contenders_run_in_turn(monkeypatch, torch):
    monkeypatch.setattr(benchmarks, "find_spec", lambda name: name if torch else None)
    jobs = list(benchmarks.jobs("training", ["boston", "wafer"], ROWS))
    names = ["nnloss", "plain Keras", *(["PyTorch"] if torch else []), "nnloss, XLA"]
    assert [job.contender for job in jobs] == names * 2
    order = []
    monkeypatch.setattr(
        benchmarks, "measure", lambda command: order.append(command) or {"seconds": 1}
    )
    files = {name: f"{name}.npz" for name in ROWS}
    measured = benchmarks.run(jobs, files, rounds=3)
    assert order == [job.command(files) for job in jobs] * 3
    assert measured["round"].tolist() == sorted([1, 2, 3] * len(jobs))


def test_every_part_has_its_jobs():
    for part in ("training", "start", "rows", "seeds"):
        jobs = list(benchmarks.jobs(part, list(ROWS), ROWS))
        assert jobs
        assert all(job.part == part for job in jobs)
    seeds = {job.number for job in jobs if (job.exercise, job.contender) == ("boston", "fit_many")}
    assert seeds == {1, 10, 100, 1000}


def table(**seconds):
    return pd.DataFrame(
        {"round": number + 1, "contender": name, "exercise": "boston", "epochs": 100, "number": 100,
         "training": value, "seconds": value, "MB": 100 * value}
        for name, values in seconds.items()
        for number, value in enumerate(values)
    )  # fmt: skip


def test_a_ratio_is_that_of_the_medians():
    measured = table(nnloss=[1.0, 2.0, 4.0], other=[9.0, 4.0, 6.0])
    ours, other = benchmarks.ratios(measured, "training").to_dict("records")
    assert ours["/ ours"] == ""
    assert other["/ ours"] == "3.00"
    assert other["by round"] == "1.50 to 9.00"
    assert other["peak, MB"] == "900"


def test_seeds_are_compared_with_as_many_runs(capsys):
    measured = pd.concat([table(**{"plain Keras": [2.0, 3.0, 4.0]}), table(fit_many=[6.0] * 3)])
    benchmarks.show("seeds", measured)
    printed = capsys.readouterr().out
    assert "100 seeds against 100 plain runs" in printed
    assert "50.00" in printed


def test_a_run_is_measured():
    code = 'print("a line"); x = bytearray(200_000_000); print(\'{"training": 1.5}\')'
    measured = measure(["-c", code])
    assert measured["training"] == 1.5
    assert 0 < measured["seconds"] < 60
    assert measured["MB"] > 200  # the tests themselves may have had more
    assert set(measure(["-c", "print('no numbers')"])) == {"seconds", "MB"}


def test_a_script_that_fails_says_why():
    with pytest.raises(RuntimeError, match="ended with 3\nnot today"):
        measure(["-c", "import sys; print('not today', file=sys.stderr); sys.exit(3)"])


@pytest.mark.slow
@pytest.mark.parametrize("script", ["ours", "plain_keras", "many_seeds"])
def test_the_scripts_train_the_network_of_the_exercise(tmp_path, script):
    rows = arrays.save("boston", None, tmp_path / "boston.npz")
    assert rows == 404
    saved = np.load(tmp_path / "boston.npz")
    assert saved["x_train"].mean(axis=0) == pytest.approx(np.zeros(13), abs=1e-6)
    assert saved["x_train"].dtype == np.float32
    number = {"many_seeds": "2"}.get(script, "404")
    measured = measure(
        [
            "-m",
            f"benchmarks.contenders.{script}",
            "boston",
            str(tmp_path / "boston.npz"),
            "2",
            number,
        ]
    )
    # Two epochs from random weights: better than zero, the square of the mean price.
    assert 100 < measured["val_loss"] < 23**2 + 85
    assert 0 < measured["training"] < measured["seconds"]


def test_what_was_measured_is_drawn(tmp_path):
    assert plot.drawn(tmp_path) is None
    measured = table(**{"nnloss": [1.0, 2.0], "plain Keras": [3.0, 4.0]})
    measured.to_csv(tmp_path / "training.csv")
    assert len(plot.drawn(tmp_path).axes) == 1
    measured.to_csv(tmp_path / "rows.csv")
    pd.concat([measured, table(fit_many=[1.0])]).to_csv(tmp_path / "seeds.csv")
    figure = plot.drawn(tmp_path)
    assert [axes.get_ylabel() for axes in figure.axes] == ["training, s"] * 3
    bars = [bar.get_height() for bar in figure.axes[0].patches]
    assert bars == [1.5, 3.5]
    reference = figure.axes[2].lines[1].get_ydata()
    assert list(reference) == [100 * 3.5]


def test_the_committed_benchmark_has_three_rounds_and_its_machine():
    folder = benchmarks.HERE / "results"
    for name in ("training", "start", "rows", "seeds"):
        measured = pd.read_csv(folder / f"{name}.csv")
        assert measured["round"].max() >= 3
    machine = pd.read_csv(folder / "machine.csv", index_col=0)["value"]
    assert {"cpu", "cores", "tensorflow", "keras", "torch"} <= set(machine.index)
    assert sys.executable not in json.dumps(machine.to_dict())
