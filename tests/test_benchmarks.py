"""The benchmark: who runs when, what is compared, what a run of a script gives."""

from __future__ import annotations

import ast
import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import arrays, peers, plot, processes
from benchmarks.contenders import arithmetic, plain_keras, work
from benchmarks.measuring import measure
from nnloss import commandline as cli

ROWS = {"boston": 404, "wafer": 1000, "cifar10": 50_000}


SINGLE = [
    "nnloss", "plain Keras", "Keras, best options", "PyTorch", "torch.compile", "JAX",
    "scikit-learn", "arithmetic limit", "nnloss, XLA",
]  # fmt: skip


def test_contenders_run_in_turn(monkeypatch):
    jobs = list(benchmarks.jobs("training", ["boston", "wafer"], ROWS))
    without = [name for name in SINGLE if name != "scikit-learn"]  # it has no convolutions
    assert [job.contender for job in jobs] == SINGLE + without
    order = []
    monkeypatch.setattr(
        benchmarks, "measure", lambda *arguments: order.append(arguments) or {"seconds": 1}
    )
    files = {name: f"{name}.npz" for name in ROWS}
    measured = benchmarks.run(jobs, files, rounds=3, peers="another")
    again = [job for job in jobs if job.contender != "torch.compile"] * 2
    assert [command for command, _ in order] == [job.command(files) for job in jobs + again]
    assert measured["round"].tolist() == sorted(measured["round"])
    elsewhere = {job.contender for job, (_, python) in zip(jobs, order, strict=False)
                 if python == "another"}  # fmt: skip
    assert elsewhere == {"PyTorch", "torch.compile", "JAX", "scikit-learn"}


def test_a_job_that_runs_once_does_not_run_again(monkeypatch):
    monkeypatch.setattr(benchmarks, "measure", lambda *arguments: {"seconds": 1})
    jobs = [benchmarks.Job("rows", "boston", name, 100, 404, once)
            for name, once in (("nnloss", None), ("torch.compile", 1))]  # fmt: skip
    measured = benchmarks.run(jobs, {"boston": "boston.npz"}, rounds=3)
    assert measured["contender"].tolist() == ["nnloss", "torch.compile", "nnloss", "nnloss"]


def test_every_part_has_its_jobs():
    for part in ("training", "start", "rows", "seeds"):
        jobs = list(benchmarks.jobs(part, list(ROWS), ROWS))
        assert jobs
        assert all(job.part == part for job in jobs)
    for contender in ("fit_many", "JAX", "torch.func", "arithmetic limit"):
        seeds = {job.number for job in jobs
                 if (job.exercise, job.contender) == ("boston", contender)}  # fmt: skip
        most = 1000 if contender == "torch.func" else 3000
        assert seeds == {1, 10, 100, 1000, most}


def test_rows_are_a_tenth_to_ten_times_as_many():
    jobs = list(benchmarks.jobs("rows", list(ROWS), ROWS))
    for exercise, numbers in {
        "boston": {40, 121, 404, 1212, 4040}, "wafer": {100, 300, 1000, 3000, 10_000}
    }.items():  # fmt: skip
        assert {job.number for job in jobs if job.exercise == exercise} == numbers
    assert {job.exercise for job in jobs} == {"boston", "wafer"}
    assert {job.number for job in jobs if job.rounds == 1} == {1212, 4040, 3000, 10_000}


@pytest.fixture
def arrays_file(tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    arrays = {"x_train": x, "y_train": x[:, 0], "x_test": x[:1], "y_test": x[:1, 0]}
    np.savez(tmp_path / "arrays.npz", **arrays, batch_size=2)
    return str(tmp_path / "arrays.npz")


def test_more_rows_begin_again_with_the_first(arrays_file):
    asked = work.asked(["boston", arrays_file, "5", "5"])
    assert asked.x.tolist() == [[0, 1], [2, 3], [4, 5], [0, 1], [2, 3]]
    assert asked.y.tolist() == [0, 2, 4, 0, 2]
    assert (asked.seeds, asked.epochs, asked.batch_size) == (1, 5, 2)
    assert len(work.asked(["boston", arrays_file, "5", "2"]).x) == 2


def test_many_seeds_have_all_rows(arrays_file):
    asked = work.asked(["boston", arrays_file, "5", "1000", "seeds"])
    assert (len(asked.x), asked.seeds) == (3, 1000)


def test_jobs_of_seeds_say_so():
    files = {"boston": "boston.npz"}
    for job in benchmarks.jobs("seeds", ["boston"], ROWS):
        assert (job.command(files)[-1] == "seeds") == (job.contender != "plain Keras")


def test_operations_of_a_small_network():
    # Two inputs, three hidden nodes, one output: 6 and 3 weights; forward, 12 + 6 operations.
    # Backward: 12 + 6 for the weights, and 6 for the hidden nodes; none for the inputs.
    layers = ((2 * 3, 1), (3, 1))
    assert arithmetic.operations(layers, rows=1, validation_rows=0) == 18 + 24
    assert arithmetic.operations(layers, rows=10, validation_rows=5, epochs=2) == 2 * (420 + 90)


def test_the_limit_counts_the_layers_of_the_networks():
    for exercise, layers in arithmetic.LAYERS.items():
        with_weights = [each for each in plain_keras.compiled(exercise).layers if each.weights]
        assert layers == tuple(
            (int(np.prod(each.kernel.shape)), int(np.prod(each.output.shape[1:-1])))
            for each in with_weights
        )


def test_what_is_not_installed_is_skipped_with_a_line(monkeypatch):
    monkeypatch.setattr(peers.shutil, "which", lambda name: name)
    everything = {"torch": "2", "jax": "0", "scikit-learn": "1"}
    assert peers.skipped(everything) == {}
    without_jax = peers.skipped({"torch": "2", "scikit-learn": "1"})
    assert without_jax == {
        "JAX": "JAX is not installed: skipped; name an environment that has it by --peers"
    }
    assert set(peers.skipped({})) == set(peers.NEEDS)
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    assert list(peers.skipped(everything)) == ["torch.compile"]


def test_peers_are_skipped_in_a_run(monkeypatch, tmp_path, capsys):
    ran = []
    monkeypatch.setattr(benchmarks, "versions", lambda python: {"scikit-learn": "1.2.3"})
    monkeypatch.setattr(
        benchmarks,
        "run",
        lambda chosen, *_: ran.extend(chosen) or table(**{"nnloss": [1.0], "plain Keras": [2.0]}),
    )
    benchmarks.main(part="training", exercise="boston", out=tmp_path)
    assert {job.contender for job in ran} == set(SINGLE) - {"PyTorch", "torch.compile", "JAX"}
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["PyTorch", "JAX"]
    machine = pd.read_csv(tmp_path / "machine.csv", index_col=0)["value"]
    assert machine["scikit-learn"] == "1.2.3"


@pytest.mark.parametrize("python", ["nowhere/python", "echo", "empty"])
def test_peers_that_are_no_python_are_refused_before_anything_runs(
    monkeypatch, tmp_path, capsys, python
):
    monkeypatch.setattr(benchmarks, "run", lambda *_: pytest.fail("something ran"))
    folder = tmp_path / "out"
    if python == "echo":
        python = shutil.which("echo")
    elif python == "empty":  # a Python without NumPy
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
        python.chmod(0o755)
    arguments = ["--exercise", "boston", "--out", str(folder), "--peers", str(python)]
    assert cli.status(cli.application(benchmarks.main), arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: --peers needs the Python of an environment with NumPy")
    assert str(python) in line
    assert not folder.exists()


def test_the_versions_are_those_of_the_other_python():
    import sklearn

    assert peers.versions(sys.executable)["scikit-learn"] == sklearn.__version__


def test_scripts_of_peers_import_neither_nnloss_nor_tensorflow():
    folder = benchmarks.HERE / "contenders"
    scripts = {benchmarks.SCRIPTS[name] for name in peers.NEEDS} | {"work"}
    for script in scripts:
        tree = ast.parse((folder / f"{script}.py").read_text(encoding="utf-8"))
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [each.name for each in node.names] if isinstance(node, ast.Import)
                else [node.module] if isinstance(node, ast.ImportFrom) else []
            )
        }  # fmt: skip
        assert not imported & {"nnloss", "tensorflow", "keras", "exercises", "pandas"}, script


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


def test_a_ratio_is_over_the_rounds_of_both():
    measured = table(**{"nnloss": [1.0, 2.0, 4.0], "torch.compile": [9.0]})
    _, other = benchmarks.ratios(measured, "training").to_dict("records")
    assert (other["/ ours"], other["by round"]) == ("9.00", "9.00 to 9.00")


def test_the_limit_has_a_small_ratio_and_no_memory():
    measured = table(**{"nnloss": [1.0, 2.0], "arithmetic limit": [0.004, 0.006]})
    _, limit = benchmarks.ratios(measured, "training").to_dict("records")
    assert (limit["/ ours"], limit["peak, MB"]) == ("0.0033", "")


def test_seeds_are_compared_with_as_many_runs(capsys):
    measured = table(**{"plain Keras": [2.0, 3.0, 4.0], "fit_many": [6.0] * 3, "JAX": [9.0]})
    measured.loc[measured["contender"] == "plain Keras", "number"] = 404  # its rows
    benchmarks.show("seeds", measured)
    printed = capsys.readouterr().out
    assert "100 epochs, 100 seeds" in printed
    assert "50.00" in printed
    assert "1.50" in printed  # JAX trains as many seeds at once
    assert "404" not in printed


def test_a_run_is_measured():
    code = 'print("a line"); x = bytearray(200_000_000); print(\'{"training": 1.5}\')'
    measured = measure(["-c", code])
    assert measured["training"] == 1.5
    assert 0 < measured["seconds"] < 60
    assert measured["MB"] > 200  # the tests themselves may have had more
    assert set(measure(["-c", "print('no numbers')"])) == {"seconds", "MB"}


def test_a_run_may_have_its_own_environment():
    code = "import os; print('{\"threads\": ' + os.environ['TF_NUM_INTRAOP_THREADS'] + '}')"
    assert measure(["-c", code], TF_NUM_INTRAOP_THREADS="3")["threads"] == 3


def measured_images():
    """Return two rounds: 2 processes take 30 and 40 s for an epoch each, 1 takes 20 s."""
    rows = [
        {"round": number, "batch_size": 64, "images": "plain", "setting": "as in nnloss",
         "processes": processes, "epoch": epoch, "weights": "a"}
        for number, slow in ((1, 30.0), (2, 40.0))
        for processes, epoch in ((1, 20.0), (2, slow), (2, slow))
    ]  # fmt: skip
    other = {"setting": "not deterministic", "processes": 1, "epoch": 10.0, "weights": "b"}
    return pd.DataFrame([*rows, *({**rows[0], **other, "round": number} for number in (1, 2))])


def test_networks_per_hour_count_all_processes():
    (row,) = processes.per_hour(measured_images()).to_dict("records")
    assert row["1 process"] == "9.0"  # 3600 / (20 epochs of 20 s)
    assert row["2 processes"] == "10.5"  # median of 12 and 9
    assert (row["ratio"], row["by round"]) == ("1.17", "1.00 to 1.33")


def test_a_setting_has_its_cost_and_its_bits(monkeypatch):
    monkeypatch.setattr(processes, "SETTINGS", {"as in nnloss": {}, "not deterministic": {}})
    usual, other = processes.costs(measured_images()).to_dict("records")
    assert (usual["ratio"], usual["same weights"]) == ("1.00", "yes")
    assert (other["ratio"], other["same weights"]) == ("0.50", "no")


def test_each_process_of_several_has_one_thread(monkeypatch, tmp_path):
    calls = []

    def measured(command, **environment):
        calls.append((command[-3:], environment.get("TF_NUM_INTRAOP_THREADS")))
        return {"epoch": 1.0, "weights": "a"}

    monkeypatch.setattr(processes, "measure", measured)
    monkeypatch.setattr(processes.provenance, "cores", lambda: 2)
    rows = processes.run(tmp_path / "cifar10.npz", rounds=2)
    assert len(rows) == len(calls) == 2 * (len(processes.NETWORKS) * 3 + 3)
    assert calls[:3] == [(["32", "plain", "as in nnloss"], threads) for threads in (None, "1", "1")]


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
    number = ["2", "seeds"] if script == "many_seeds" else ["404"]
    measured = measure(
        [
            "-m",
            f"benchmarks.contenders.{script}",
            "boston",
            str(tmp_path / "boston.npz"),
            "2",
            *number,
        ]
    )
    # Two epochs from random weights: better than zero, the square of the mean price.
    assert 100 < measured["val_loss"] < 23**2 + 85
    assert 0 < measured["training"] < measured["seconds"]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["keras_best", "mlp_regressor", "arithmetic"])
def test_other_contenders_do_the_same_work(tmp_path, script):
    arrays.save("boston", None, tmp_path / "boston.npz")
    file = str(tmp_path / "boston.npz")
    measured = measure(["-m", f"benchmarks.contenders.{script}", "boston", file, "30", "404"])
    assert 0 < measured["training"]
    if script != "arithmetic":
        assert 15 < measured["val_loss"] < 40  # a linear regression has about 30


@pytest.mark.backends
@pytest.mark.parametrize("seeds", ["1", "3"])
def test_jax_does_the_same_work(tmp_path, seeds):
    arrays.save("boston", None, tmp_path / "boston.npz")
    file = str(tmp_path / "boston.npz")
    measured = measure(
        ["-m", "benchmarks.contenders.jax_vmap", "boston", file, "30", seeds, "seeds"]
    )
    assert 15 < measured["val_loss"] < 40


def test_what_was_measured_is_drawn(tmp_path):
    assert plot.drawn(tmp_path) is None
    measured = table(**{"nnloss": [1.0, 3.0], "plain Keras": [3.0, 6.0], "JAX": [1.0, 1.0]})
    measured.to_csv(tmp_path / "training.csv")
    (axes,) = plot.drawn(tmp_path).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["plain Keras", "JAX"]
    # Medians 4.5 and 1 against 2.
    assert [text.get_text() for text in axes.texts] == ["Boston 2.2", "Boston 0.5"]
    measured.to_csv(tmp_path / "rows.csv")
    pd.concat([measured, table(fit_many=[1.0])]).query("contender != 'nnloss'").to_csv(
        tmp_path / "seeds.csv"
    )
    _, rows, seeds = plot.drawn(tmp_path).axes
    assert {axes.get_ylabel() for axes in (rows, seeds)} == {"training, s"}
    assert {axes.get_yscale() for axes in (rows, seeds)} == {"log"}
    assert {text.get_text() for text in rows.texts} == {"nnloss", "plain Keras", "JAX"}
    reference = seeds.lines[-1].get_ydata()
    assert list(reference) == [100 * 4.5]


def test_every_contender_has_a_style():
    drawn = {job.contender for part in ("training", "rows", "seeds")
             for job in benchmarks.jobs(part, list(ROWS), ROWS)}  # fmt: skip
    assert drawn - {"nnloss, XLA"} == set(plot.STYLES)


def test_the_committed_benchmark_has_three_rounds_and_its_machine():
    folder = benchmarks.HERE / "results"
    for name in ("training", "start", "rows", "seeds"):
        measured = pd.read_csv(folder / f"{name}.csv")
        assert measured["round"].max() >= 3
    machine = pd.read_csv(folder / "machine.csv", index_col=0)["value"]
    assert {"cpu", "cores", "tensorflow", "keras", "torch"} <= set(machine.index)
    assert sys.executable not in json.dumps(machine.to_dict())
