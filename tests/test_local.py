"""Processes of this machine: they share a sweep, and whoever is killed, nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import light_work
import psutil
import pytest
from light_sweep import LightSweep, alive, until

from nnloss import FolderError
from nnloss.reproduction.folder import SweepFolder


@pytest.fixture
def light(tmp_path: Path) -> Iterator[LightSweep]:
    sweep = LightSweep(tmp_path)
    yield sweep
    sweep.close()


@pytest.mark.parametrize(
    ("jobs", "processes"), [(2, 2), pytest.param(9, 4, marks=pytest.mark.slow)]
)
def test_processes_share_the_work(light: LightSweep, jobs: int, processes: int) -> None:
    light.hold()
    process = light.start("--jobs", str(jobs))
    light.wait_until_begun(processes)
    assert len(set(light.pids())) == processes
    assert process.pid not in light.pids()
    light.release()

    assert light.ended(process) == (0, "")
    assert len(light.begun()) == 4
    light.check()


def test_one_job_is_this_process(light: LightSweep) -> None:
    process = light.start("--jobs", "1")

    assert light.ended(process) == (0, "")
    assert light.pids() == [process.pid] * 4
    light.check()


def test_the_longest_begin_first(light: LightSweep) -> None:
    light.ended(light.start("--jobs", "1"))

    assert ["absolute" in name for name in light.begun()] == [True, True, False, False]


def test_a_killed_process_is_told_and_the_rest_is_done_later(light: LightSweep) -> None:
    light.hold("seeds-2-3")
    process = light.start("--jobs", "2")
    light.wait_until_begun(4)
    until(lambda: light.kept() == 2, "two units kept")
    pids = light.pids()
    os.kill(pids[-1], signal.SIGKILL)

    status, errors = light.ended(process)
    assert status == 2
    assert errors.count("\n") == 1
    assert errors.startswith("Error: A process of the sweep must not be killed; joblib says: ")
    assert "What is done is kept: run it again" in errors
    until(lambda: not any(map(alive, pids)), "the other process ended")
    assert light.kept() == 2

    light.release()
    assert light.ended(light.start("--jobs", "2")) == (0, "")
    assert sorted(light.begun()[4:]) == sorted(name for name in light.begun()[:4] if "2-3" in name)
    light.check()


@pytest.mark.slow
def test_processes_do_not_outlive_a_killed_parent(light: LightSweep) -> None:
    light.hold()
    process = light.start("--jobs", "2")
    light.wait_until_begun(2)
    process.kill()
    process.wait()

    until(lambda: not any(map(alive, light.pids())), "the processes ended")


@pytest.mark.slow
def test_a_new_sweep_waits_for_the_processes_of_a_killed_one(light: LightSweep) -> None:
    light.hold()
    process = light.start("--jobs", "2")
    light.wait_until_begun(2)
    old = light.pids()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)  # they cannot end now
    process.kill()
    process.wait()
    light.release()
    process = light.start("--jobs", "4")
    try:
        until(lambda: light.kept() == 2, "the units that nobody has")
        assert not set(light.begun()[:2]) & set(light.begun()[2:])
    finally:
        for pid in old:
            os.kill(pid, signal.SIGCONT)

    assert light.ended(process) == (0, "")
    assert sorted(light.begun()[4:]) == sorted(light.begun()[:2])
    light.check()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted_and_resumed(light: LightSweep, jobs: str) -> None:
    light.hold("seeds-2-3")
    process = light.start("--jobs", jobs)
    light.wait_until_begun(2 * int(jobs))
    until(lambda: light.kept() == int(jobs), "what is not held kept")
    pids = light.pids()
    os.killpg(process.pid, signal.SIGINT)

    assert light.ended(process) == (130, "Interrupted.\n")
    until(lambda: not any(map(alive, pids)), "the processes ended")
    light.release()
    assert light.ended(light.start("--jobs", jobs)) == (0, "")
    assert len(light.begun()) == 4 + int(jobs)
    light.check()


@pytest.mark.slow
def test_processes_leave_interrupts_to_their_parent_from_the_beginning(light: LightSweep) -> None:
    light.hold()
    process = light.start("--jobs", "2")

    def interrupted_all() -> bool:
        for child in psutil.Process(process.pid).children():
            child.send_signal(signal.SIGINT)
        return len(light.begun()) >= 2

    until(interrupted_all, "two units begun")
    light.release()

    assert light.ended(process) == (0, "")
    light.check()


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_what_the_work_refuses_is_one_line(light: LightSweep, jobs: str) -> None:
    (light.signs / "refuse").touch()

    ended = light.ended(light.start("--jobs", jobs))

    assert ended == (2, "Error: A rule; it is broken. Mend it.\n")


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_what_goes_wrong_in_the_work_names_the_unit(light: LightSweep, jobs: str) -> None:
    (light.signs / "fail").touch()

    status, errors = light.ended(light.start("--jobs", jobs))

    assert status == 1
    assert "KeyError: 'of the work'" in errors
    assert errors.rstrip().splitlines()[-1] in {
        f"This was in the unit '{name}' of the sweep." for name in light.begun()
    }


@pytest.mark.slow
def test_nobody_works_on_for_a_sweep_that_cannot_keep_it(
    light: LightSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise FolderError("It must be written", "the disk is full", "Make room")

    monkeypatch.setattr(SweepFolder, "keep", full)
    light.hold("seeds-2-3")

    with pytest.raises(FolderError) as caught:
        light_work.main(light.out, light.signs, jobs=4)

    until(lambda: not any(map(alive, light.pids())), "the processes ended")
    assert caught.value.found == "the disk is full"  # until here it holds what the sweep had
