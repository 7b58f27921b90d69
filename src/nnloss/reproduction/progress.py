"""Progress of a sweep: a bar in a terminal, an occasional line elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from nnloss.reproduction.units import Unit

#: Seconds between two plain lines.
_EVERY = 60.0


class SweepProgress:
    """Progress of a whole sweep on standard error, with the remaining time.

    `units` maps each remaining unit to its estimated seconds; `everything` is the estimate for the
    whole sweep, finished units included. The remaining time is the remaining estimate times the
    ratio of true to estimated time so far, where a unit under way counts in part. It is shown when
    enough is done to know that ratio.
    """

    def __init__(self, units: Mapping[Unit, float], everything: float, under_way: Path) -> None:
        self._left = dict(units)
        self._units = len(units)
        self._todo = sum(units.values())
        self._everything = max(everything, self._todo)
        self._under_way = under_way
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._bar: Progress | None = None

    def finished(self, unit: Unit) -> None:
        """Count a unit as done."""
        del self._left[unit]

    def __enter__(self) -> SweepProgress:
        console = Console(stderr=True)
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("Sweep"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.description}"),
                console=console,
            )
            self._bar.add_task(self._text(0.0), total=self._everything)
            self._bar.start()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._bar:
            self._bar.stop()

    def _watch(self) -> None:
        shown = self._began
        ended = False
        while not ended:
            ended = self._ended.wait(0.5)
            done = self._done()
            if self._bar:
                self._bar.update(
                    self._bar.task_ids[0],
                    completed=self._everything - self._todo + done,
                    description=self._text(done),
                )
            elif time.monotonic() - shown > _EVERY:
                shown = time.monotonic()
                share = 1 - (self._todo - done) / self._everything
                print(f"Sweep: {share:.0%}, {self._text(done)}", file=sys.stderr)

    def _done(self) -> float:
        left = dict(self._left)  # another thread removes units
        return self._todo - sum(s * (1 - self._share(unit)) for unit, s in left.items())

    def _share(self, unit: Unit) -> float:
        """Return the share of a unit that is done, as last written by its worker."""
        try:
            return float((self._under_way / f"{unit.name}.share").read_text(encoding="ascii"))
        except (OSError, ValueError):  # not started, on another file system, or being written
            return 0.0

    def _text(self, done: float) -> str:
        left = len(self._left)
        return f"{self._units - left} of {self._units} parts done, {self._time_left(done)}"

    def _time_left(self, done: float) -> str:
        elapsed = time.monotonic() - self._began
        if elapsed < 10 or done < 0.01 * self._todo:
            return "estimating the time"
        seconds = (self._todo - done) * elapsed / done
        if seconds < 90:
            return f"about {max(1, round(seconds / 10)) * 10} s left"
        if seconds < 5400:
            return f"about {seconds / 60:.0f} min left"
        return f"about {seconds / 3600:.1f} h left"
