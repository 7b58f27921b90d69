"""Run records: a folder a run, files whole or not there, a table that loses no row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from nnloss import DataError, FolderError, Run, RunRecord
from nnloss._files import digest, replacing, require_folder
from nnloss.runs import provenance
from nnloss.runs.results import add_row


def test_a_run_grows_and_ends(tmp_path):
    with Run.start(tmp_path / "runs", "boston", seed=4, edition=2023) as run:
        assert RunRecord.read(run.folder / "run.json").status == "running"
        run.update(seconds={"fit": 1.5}, metrics={"test": {"accuracy": 0.5}})
        run.update(metrics={"train": {"accuracy": 1.0}})
    record = RunRecord.read(run.folder / "run.json")
    assert record == run.record
    assert (record.status, record.exercise, record.seed) == ("finished", "boston", 4)
    assert record.metrics == {"test": {"accuracy": 0.5}, "train": {"accuracy": 1.0}}
    assert set(record.seconds) == {"fit", "total"}
    assert record.start <= record.end
    assert {"python", "tensorflow", "keras", "numpy"} <= set(record.versions)
    assert record.machine["cores"] >= 1
    assert run.folder == tmp_path / "runs" / "boston" / record.id


def test_the_commit_is_that_of_the_checkout(tmp_path):
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    head = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    commit = Run.start(tmp_path, "x").record.git_commit
    assert commit.removesuffix("-dirty") == head


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [(KeyboardInterrupt, "interrupted", None), (RuntimeError("no luck"), "failed", "no luck")],
    ids=["Ctrl-C", "error"],
)
def test_a_run_that_stops_says_so(tmp_path, error, status, text):
    with pytest.raises((KeyboardInterrupt, RuntimeError)), Run.start(tmp_path, "x") as run:  # noqa: PT012
        run.update(metrics={"test": {"loss": 1.0}})
        raise error
    record = RunRecord.read(run.folder / "run.json")
    assert record.status == status
    assert record.metrics == {"test": {"loss": 1.0}}
    assert (text in record.error) if text else record.error is None
    assert pd.read_csv(tmp_path / "results.csv")["status"].tolist() == [status]


def test_a_row_is_found_by_the_paths_of_the_record(tmp_path):
    with Run.start(tmp_path, "x", epochs=3) as run:
        run.update(metrics={"test": {"accuracy": 0.25}}, seconds={"fit": 2.0})
        run.update(baseline={"linear_regression": {"mean_squared_error": 23.5}})
    (row,) = pd.read_csv(tmp_path / "results.csv").to_dict("records")
    for path in (
        "id", "epochs", "seconds.fit", "metrics.test.accuracy",
        "baseline.linear_regression.mean_squared_error",
    ):  # fmt: skip
        assert row[path] == run.record.get(path), path
    assert run.record.get("metrics.test.nothing") is None
    assert run.record.get("nothing") is None


def test_a_late_evaluation_replaces_the_row(tmp_path):
    with Run.start(tmp_path, "x") as run:
        pass
    run.update(metrics={"test": {"loss": 3.0}})
    table = pd.read_csv(tmp_path / "results.csv")
    assert table["metrics.test.loss"].tolist() == [3.0]


def test_what_is_not_a_number_is_null(tmp_path):
    run = Run.start(tmp_path, "x")
    run.update(metrics={"test": {"loss": float("nan"), "accuracy": np.float32(0.5)}})
    text = (run.folder / "run.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["metrics"]["test"] == {"loss": None, "accuracy": 0.5}


def test_a_name_that_is_not_utf_8_is_written_and_read(tmp_path):
    name = os.fsdecode(b"a \xff")
    run = Run.start(tmp_path, name, command=name)
    with pytest.raises(RuntimeError), run:
        raise RuntimeError(name)
    record = RunRecord.read(run.folder / "run.json")
    assert (record.status, record.command) == ("failed", name)
    assert f"RuntimeError: {name}" in record.error
    assert (tmp_path / "results.csv").exists()


def test_a_record_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "run.json")
    with pytest.raises(DataError, match="it is a pipe or device, not a file"):
        RunRecord.read(tmp_path / "run.json")


def test_a_record_cannot_be_changed(tmp_path):
    with pytest.raises(FrozenInstanceError):
        Run.start(tmp_path, "x").record.status = "finished"


@pytest.mark.parametrize("text", ['{"id": "1", "exer', "[]", '{"id": "1"}', '{"other": 1}'])
def test_a_damaged_record_is_refused(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(
        DataError, match=r"must be a run record; reading it gave: .+\. Run it again"
    ):
        RunRecord.read(path)


def test_a_missing_record_is_refused(tmp_path):
    with pytest.raises(DataError, match="must be a run record"):
        RunRecord.read(tmp_path / "run.json")


@pytest.mark.parametrize("name", ["../outside", "a/b", "model 1", "<script>", ""])
def test_a_name_stays_in_the_folder(tmp_path, name):
    run = Run.start(tmp_path / "runs", name)
    assert run.folder.resolve().parents[1] == (tmp_path / "runs").resolve()


@pytest.mark.parametrize("letter", ["a", "\u00e4"])
def test_a_long_name_is_shortened(tmp_path, letter):
    run = Run.start(tmp_path, letter * 10**6)
    assert run.folder.parent.name == letter * (100 // len(letter.encode()))


def test_tables_and_figures_are_written(tmp_path):
    run = Run.start(tmp_path, "x")
    run.save_table("numbers", pd.DataFrame({"a": [1, 2]}))
    run.save_figure("empty", Figure(figsize=(2, 2)), "Nothing.")
    assert pd.read_csv(run.folder / "numbers.csv")["a"].tolist() == [1, 2]
    assert (run.folder / "empty.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (run.folder / "empty.svg").read_text()
    assert RunRecord.read(run.folder / "run.json").figures == {"empty": "Nothing."}
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "empty.png", "empty.svg", "numbers.csv", "run.json",
    ]  # fmt: skip


def test_both_files_of_a_figure_have_its_layout_which_is_computed_once(tmp_path, monkeypatch):
    computed = []
    execute = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(
        ConstrainedLayoutEngine, "execute", lambda *own: (computed.append(own), execute(*own))
    )
    figure = Figure(layout="constrained")
    figure.subplots().set_ylabel("a long label\n" * 10)
    figure.draw_without_rendering()
    left = figure.axes[0].get_position().x0
    Run.start(tmp_path, "x").save_figure("one", figure, "One.")
    assert len(computed) == 2
    assert figure.axes[0].get_position().x0 == pytest.approx(left) != 0.125
    assert isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine)


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("ne")
        raise RuntimeError
    assert path.read_text() == "old"
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_said_and_leaves_no_half(tmp_path, python):
    code = (
        "import resource, pathlib\n"
        "from nnloss._files import replacing\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"path = pathlib.Path({str(tmp_path)!r}, 'a.txt')\n"
        "try:\n"
        "    with replacing(path) as temporary:\n"
        "        temporary.write_text('x' * 5000)\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    done = python("-c", code)
    assert done.stdout.strip() == (
        f"'{tmp_path / 'a.txt'}' must be written; the system reports: File too large. "
        "Make room there, or choose another folder."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "runs").write_text("")
    for path in (tmp_path / "runs", tmp_path / "runs" / "deeper"):
        with pytest.raises(FolderError, match="must be a folder that can be written to") as caught:
            require_folder(path)
        assert caught.value.found == f"'{tmp_path / 'runs'}' is a file"
        with pytest.raises(FolderError):
            Run.start(path, "x")


def test_a_link_to_nowhere_and_a_name_too_long_are_refused(tmp_path):
    link = tmp_path / "runs"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(FolderError, match="is a broken link"):
        require_folder(link)
    with pytest.raises(FolderError, match="File name too long"):
        require_folder(tmp_path / ("x" * 300))


def test_a_folder_that_the_system_refuses_is_refused():
    with pytest.raises(FolderError, match="must be a folder that can be written to"):
        Run.start("/proc/nnloss", "x")


ADD_ROWS = """
import sys
from pathlib import Path
from nnloss.runs.results import add_row
table, worker = Path(sys.argv[1]), sys.argv[2]
for row in range(10):
    add_row(table, {"id": f"{worker}-{row}", "worker": worker, f"own.{worker}": row})
"""


def test_eight_processes_lose_no_row(tmp_path):
    table = tmp_path / "results.csv"
    command = [sys.executable, "-c", ADD_ROWS, str(table)]
    processes = [subprocess.Popen([*command, str(worker)], cwd=ROOT) for worker in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    found = pd.read_csv(table)
    assert sorted(found["id"]) == sorted(f"{w}-{r}" for w in range(8) for r in range(10))
    for worker in range(8):
        own = found.loc[found["worker"] == worker, f"own.{worker}"]
        assert sorted(own) == list(range(10))


def test_a_row_with_the_same_id_replaces_the_old_one(tmp_path):
    table = tmp_path / "results.csv"
    add_row(table, {"id": "a", "x": 1, "text": 'with, comma and "quotes"'})
    add_row(table, {"id": "b", "x": 2.5})
    add_row(table, {"id": "a", "y": None})
    assert table.read_text().splitlines() == ["id,x,text,y", "a,,,", "b,2.5,,"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"name,price\nbread,3\n", "found no column 'id' but name, price"),
        (b"id;price\na;3\n", "found no column 'id' but id;price"),
        (b"id,price\na,3,4\n", "found a row with more cells than columns"),
        (b"id,name\na,Troms\xf8\n", "reading it gave: 'utf-8' codec"),
    ],
    ids=["another table", "semicolons", "too many cells", "another encoding"],
)
def test_another_table_is_left_alone_and_no_run_is_started(tmp_path, content, found):
    table = tmp_path / "results.csv"
    table.write_bytes(content)
    for call in (lambda: add_row(table, {"id": "a"}), lambda: Run.start(tmp_path, "x")):
        with pytest.raises(FolderError) as caught:
            call()
        assert caught.value.rule == f"'{table}' must be a table of runs, as nnloss wrote it"
        assert caught.value.found.startswith(found)
    assert table.read_bytes() == content
    assert not (tmp_path / "x").exists()


def test_a_table_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "results.csv")
    with pytest.raises(FolderError, match="it is a pipe or device, not a file"):
        Run.start(tmp_path, "x")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    table = tmp_path / "results.csv"
    table.write_bytes(b"\xef\xbb\xbfid,x\na,1\n")
    add_row(table, {"id": "b", "x": 2})
    assert table.read_text() == "id,x\na,1\nb,2\n"


def test_a_checksum_is_of_the_numbers():
    numbers = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert digest(numbers) == digest(np.asfortranarray(numbers)) == digest(numbers.astype(">f8"))
    assert digest(numbers) != digest(numbers.T)
    assert digest(numbers) != digest(numbers.astype("float32"))
    assert digest(numbers[0], numbers[1]) == digest(numbers)


@pytest.mark.parametrize("fails", [True, False], ids=["git fails", "no git"])
def test_without_an_answer_of_git_there_is_no_commit(fails, tmp_path, monkeypatch):
    if fails:
        git = tmp_path / "git"
        git.write_text("#!/bin/sh\nexit 128\n")
        git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.git_commit.__wrapped__() is None
