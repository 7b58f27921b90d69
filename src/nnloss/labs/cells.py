"""Lab in progress: runs, results that are shown and saved, and the comparison with the course."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pandas as pd

from nnloss import commandline as cli
from nnloss.course.published import (
    Settings,
    compare,
    comparison_table,
    parse_edition,
    settings_of,
)
from nnloss.labs.inline import display
from nnloss.plots.captions import CAPTIONS
from nnloss.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnloss.datasets import Split
    from nnloss.training import EpochProgress

#: Exercises with editions and a training of their own.
OF_THE_COURSE = ("boston", "cifar10", "wafer")


@dataclass
class Lab:
    """Lab in progress: its options, its runs, and how it shows and saves results.

    `lab` makes it in the first cell.

    Parameters
    ----------
    exercise : str
        Name of the exercise in records and folders.
    file : Path or None
        Source of the lab, whose headings are printed; None in a notebook.
    seed, epochs, batch_size, loss, augment, edition, out, data_dir, quick
        Options of the command line, with their defaults.
    choices : sequence of str
        Values that `loss` can have.
    runs : dict of str to Run
        Runs of the lab by title, in the order in which they began.
    progress : EpochProgress or None
        Callback of the run that is in progress.

    Examples
    --------
    >>> from nnloss import Lab
    >>> lab = Lab("boston", None, loss="both", choices=("mse", "mae", "both"))
    >>> lab.losses, lab.settings(quick_epochs=5)
    (['mse', 'mae'], Settings(epochs=100, batch_size=32))
    """

    exercise: str
    file: Path | None
    seed: int = 0
    epochs: int | None = None
    batch_size: int | None = None
    loss: str = ""
    augment: bool = False
    edition: str = "2023"
    out: Path = Path("runs")
    data_dir: Path | None = None
    quick: bool = False
    choices: Sequence[str] = ()
    runs: dict[str, Run] = field(default_factory=dict)
    progress: EpochProgress | None = None
    _how_quick: str = field(default="fewer epochs and seeds", init=False)
    _waiting: list[tuple[Any, str, str]] = field(default_factory=list, init=False)
    _headings: dict[int, tuple[str, str]] = field(init=False)  # level and text, by line

    def __post_init__(self) -> None:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file else []
        found = {place: re.match("# (#+) (.*)", line) for place, line in enumerate(lines, 1)}
        self._headings = {place: (it[1], it[2]) for place, it in found.items() if it}

    @property
    def losses(self) -> Sequence[str]:
        """Losses to train on: the chosen one, or all of them."""
        return [each for each in self.choices if self.loss in (each, "both") and each != "both"]

    def settings(self, quick_epochs: int, *, augment: bool = False) -> Settings:
        """Return the course's settings, changed by the options of the command line.

        Parameters
        ----------
        quick_epochs : int
            Epochs of a quick run.
        augment : bool, default False
            Whether the settings are those with augmentation.

        Returns
        -------
        Settings
            Epochs and batch size.
        """
        course = self._course(augment)
        settings = Settings(
            epochs=self.epochs or (quick_epochs if self.quick else course.epochs),
            batch_size=self.batch_size or course.batch_size,
        )
        if self.quick:
            self._how_quick = f"{settings.epochs} of {course.epochs} epochs"
        return settings

    @contextmanager
    def run(self, title: str, split: Split | None = None, **known: Any) -> Iterator[Run]:
        """Start a run, and end it with the block.

        Within the block ``progress`` is a callback that shows the epochs.

        Parameters
        ----------
        title : str
            Name of the run in ``runs`` and of its progress.
        split : Split, optional
            Data of the run, for its record.
        **known
            Other fields of `RunRecord`.

        Yields
        ------
        Run
            The run in progress.
        """
        from nnloss.training import EpochProgress

        self._print_headings(sys._getframe())  # before the log of the training
        if split is not None:
            known = {"data": split.origin, "split": split.sizes} | known
        if self.exercise in OF_THE_COURSE:
            known = {"edition": parse_edition(self.edition)} | known
        run = Run.start(self.out, self.exercise, seed=self.seed, quick=self.quick, **known)
        lines = sys.stdout if self.file is None else sys.stderr
        with run, EpochProgress(title, lines) as self.progress:
            self.runs[title] = run
            for what, name, caption in self._waiting:
                _save(run, what, name, caption)
            yield run
        self.progress = None

    def show(
        self,
        what: str | pd.DataFrame | Figure,
        name: str = "",
        caption: str = "",
        *,
        run: str = "",
    ) -> None:
        """Show a paragraph, a table or a figure, and save what has a name.

        A notebook shows it below the cell. A terminal shows paragraphs, tables and the captions of
        figures, each part below the heading of its cell.

        Parameters
        ----------
        what : str, DataFrame or Figure
            What to show. Line breaks in a paragraph are ignored.
        name : str, optional
            Name of the file, without its ending. What has none is not saved.
        caption : str, optional
            Caption of a figure, by default the one that nnloss has for its name, or title of a
            table.
        run : str, optional
            Title of the run that it belongs to. By default it is saved in all runs, those that
            begin later included.
        """
        caption = caption or CAPTIONS.get(name, "")
        if run:
            caption = f"{run[0].upper()}{run[1:]}. {caption}"
        if name:
            for each in [self.runs[run]] if run else self.runs.values():
                _save(each, what, name, caption)
            if not run:
                self._waiting.append((what, name, caption))
        if self.file is None:
            display(what, caption)
            return
        self._print_headings(sys._getframe(1))
        if isinstance(what, str):
            cli.paragraph(what)
        elif isinstance(what, pd.DataFrame):
            cli.table(what, caption)
        else:
            cli.paragraph(f"[{name}.png] {caption}")

    def compare(self) -> None:
        """Compare each run with the published numbers, show them, and record them."""
        seen = set[str]()
        for run in self.runs.values():
            run.update(published=compare(run.record))
            numbers, remarks = comparison_table(run.record, self._course(bool(run.record.augment)))
            # Runs share the numbers of the classical model.
            numbers = numbers[[str(row) not in seen for row in numbers.values]]
            if len(numbers):
                self.show(numbers)
            new = [each for each in remarks if each not in seen]
            for each in new:
                self.show(each)
            seen.update(new, map(str, numbers.values))

    def close(self, figure: str = "", command: str | None = None) -> None:
        """Show where the results are, the figure to look at first, and a next command.

        Parameters
        ----------
        figure : str, optional
            Name of the figure.
        command : str, optional
            Command to run next.

        Raises
        ------
        SystemExit
            With status 1, in a script, if a claim of a run does not hold.
        """
        failed = [
            each for run in self.runs.values() for each in run.record.claims if not each["holds"]
        ]
        for each in failed:
            self.show(f"Does not hold: {each['topic']}, {each['claim']}.")
        if self.quick:
            self.show(cli.quick_run(self._how_quick))
        folders = {title: run.folder for title, run in self.runs.items()}
        first = next(iter(folders.values())) / f"{figure}.png" if figure else None
        cli.closing(folders, first, command)
        if failed and self.file:
            raise SystemExit(1)

    def _course(self, augment: bool) -> Settings:
        return settings_of(self.exercise, parse_edition(self.edition), augment=augment)

    def _print_headings(self, frame: FrameType | None) -> None:
        """Print the title of the lab and the heading of the cell that runs, each once."""
        while frame and frame.f_code.co_name != "<module>":
            frame = frame.f_back
        above = [place for place in self._headings if frame and place < frame.f_lineno]
        for place in above:
            level, text = self._headings.pop(place)
            if level == "#" or place == above[-1]:
                cli.heading(text)


def _save(run: Run, what: Any, name: str, caption: str) -> None:
    if isinstance(what, pd.DataFrame):
        run.save_table(name, what)
    else:
        run.save_figure(name, what, caption)
