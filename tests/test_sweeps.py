"""What of a sweep is to be done, in which order, and how long that takes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_sweep_folder import BOSTON, PLAIN, outcome

from nnloss.reproduction import sweep
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.progress import SweepProgress
from nnloss.reproduction.sweep import missing, seconds
from nnloss.reproduction.units import Configuration, Outcome, Unit

CLASSICAL = Configuration("boston")


def size(configuration: Configuration) -> int:
    return 2 if configuration == BOSTON else 1


def test_all_of_a_new_sweep_is_missing(tmp_path: Path) -> None:
    with SweepFolder(tmp_path).opened() as folder:
        todo = missing(folder, {CLASSICAL: 9, BOSTON: 3, PLAIN: 2}, size)

    assert todo == [
        Unit(CLASSICAL),
        Unit(BOSTON, (0, 1)),
        Unit(BOSTON, (2,)),
        Unit(PLAIN, (0,)),
        Unit(PLAIN, (1,)),
    ]


def test_what_is_there_is_not_done_again_and_more_seeds_go_on_from_there(tmp_path: Path) -> None:
    with SweepFolder(tmp_path).opened() as folder:
        for unit in (Unit(CLASSICAL), Unit(BOSTON, (0, 1)), Unit(BOSTON, (2,))):
            folder.keep(unit, outcome(unit))

        assert missing(folder, {CLASSICAL: 3, BOSTON: 3}, size) == []
        assert missing(folder, {CLASSICAL: 6, BOSTON: 6}, size) == [
            Unit(BOSTON, (3, 4)),
            Unit(BOSTON, (5,)),
        ]
        assert missing(folder, {replace(BOSTON, epochs=4): 1}, size) == [
            Unit(replace(BOSTON, epochs=4), (0,))
        ]


def test_the_bar_counts_the_classical_models_once_and_what_was_done_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[SweepProgress] = []

    class Watched(SweepProgress):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(sweep, "SweepProgress", Watched)
    monkeypatch.setattr(
        sweep, "run_locally", lambda work, units, *_: (each for each in map(done, units))
    )
    wanted = {CLASSICAL: 3, BOSTON: 3}
    for seeds in (2, 3):
        with SweepFolder(tmp_path).opened() as folder:
            sweep.sweep(folder, wanted | {BOSTON: seeds}, _never, size=size, cost=lambda each: 10.0)

    assert [(each._everything, each._todo) for each in made] == [(30, 30), (40, 10)]


def done(unit: Unit) -> tuple[Unit, Outcome]:
    return unit, outcome(unit)


def _never(*arguments: object) -> Outcome:
    raise AssertionError(arguments)


def test_a_unit_takes_as_long_as_its_seeds() -> None:
    assert seconds(Unit(BOSTON, (0, 1, 2)), lambda _: 2.0) == 6
    assert seconds(Unit(CLASSICAL), lambda _: 2.0) == 2


UNITS = {Unit(PLAIN, (0,)): 100.0, Unit(PLAIN, (1,)): 100.0}


@pytest.mark.parametrize(
    ("elapsed", "share", "text"),
    [
        (5, 0.5, "estimating the time"),
        (60, 0.001, "estimating the time"),
        (60, 0.5, "about 3 min left"),  # a quarter of all in one minute: three more
        (20, 0.5, "about 60 s left"),
        (3600, 0.5, "about 3.0 h left"),
    ],
)
def test_the_time_left_is_that_of_the_rest_at_the_pace_until_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elapsed: float, share: float, text: str
) -> None:
    progress = SweepProgress(UNITS, 200, tmp_path)
    (tmp_path / f"{next(iter(UNITS)).name}.share").write_text(str(share))
    now = time.monotonic()
    monkeypatch.setattr("nnloss.reproduction.progress.time.monotonic", lambda: now + elapsed)

    assert progress._text(progress._done()) == f"0 of 2 parts done, {text}"


def test_what_is_finished_counts_whole(tmp_path: Path) -> None:
    progress = SweepProgress(UNITS, 200, tmp_path)
    first = next(iter(UNITS))
    (tmp_path / f"{first.name}.share").write_text("0.3")
    assert progress._done() == pytest.approx(30)

    progress.finished(first)

    assert progress._done() == 100
    assert progress._text(100).startswith("1 of 2 parts done")


def test_a_share_that_is_being_written_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{next(iter(UNITS)).name}.share").write_text("")

    assert SweepProgress(UNITS, 200, tmp_path)._done() == 0


def test_without_a_terminal_lines_are_printed_now_and_then(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnloss.reproduction.progress._EVERY", 0.0)
    with SweepProgress(UNITS, 400, tmp_path) as progress:
        for unit in UNITS:
            progress.finished(unit)

    # Half was done in an earlier sweep.
    assert "Sweep: 100%, 2 of 2 parts done" in capfd.readouterr().err
