"""Common parts of the command lines: options, printing, one-line errors and the exit status.

The exit status is 0 on success, 2 for invalid input and 130 after Ctrl-C; a command may return
another one. Text is wrapped to the terminal, or to 100 columns if it goes elsewhere; $COLUMNS
overrides both.
"""

from __future__ import annotations

import atexit
import gc
import inspect
import logging
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from nnloss._files import require_folder as require_folder
from nnloss.errors import NnlossError, printable
from nnloss.runs import provenance

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 100
_ONE = r"[-+−]?(?:[\d.,]+(?:e[-+]\d+)?|nan|inf)(?: ?%)?"
#: Text of a cell that is a number or two, as in "19.2 to 24.6" and "3 of 20", or nothing.
_NUMBER = re.compile(rf"{_ONE}(?: (?:to|of|and) {_ONE})?|[-–]?")


def whole_number(least: int, most: int | None = None) -> Callable[[Any], int]:
    """Return a parser for whole numbers from `least` to `most`; None means no upper bound.

    The parser raises ``typer.BadParameter`` for other text.
    """
    reach = f"from {least} to {most}" if most is not None else f"of at least {least}"

    def parse(text: Any) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise typer.BadParameter(f"it must be a whole number {reach}; found '{text}'")
        return number

    return parse


def folder(text: Any) -> Path:
    """Return the path of a folder; raise ``typer.BadParameter`` for an empty text."""
    if not str(text).strip():
        raise typer.BadParameter("it must be the name of a folder; found ''")
    return Path(text)


def option(
    help_text: str,
    metavar: str | None = None,
    parser: Callable[[Any], Any] | None = None,
    *,
    group: str | None = None,
) -> Any:
    """Return a typer option for ``typing.Annotated``, named after the parameter of ``main``.

    `group` is the title above the option in ``--help``: ``"Training"``, ``"Course"``, ``"Files"``
    or a title of the command's own. Default: ``"Options"``.
    """
    return typer.Option(help=help_text, metavar=metavar, parser=parser, rich_help_panel=group)


def flag(names: str, help_text: str, *, group: str | None = None) -> Any:
    """Return a typer option without a value, such as ``--quick`` or ``--augment/--no-augment``."""
    return typer.Option(names, help=help_text, rich_help_panel=group)


_training, _files = partial(option, group="Training"), partial(option, group="Files")
Seed = Annotated[
    int, _training("Random seed for weights and shuffling.", "N", whole_number(0, 2**32 - 1))
]
Epochs = Annotated[
    int | None,
    _training("Epochs of training. Default: those of the edition.", "N", whole_number(1)),
]
BatchSize = Annotated[
    int | None,
    _training("Rows in a batch. Default: those of the edition.", "N", whole_number(1, 2**31 - 1)),
]
Edition = Annotated[
    Literal["2023", "2024", "2024-pdf"],
    option(
        "Edition of the course, with its settings and numbers: 2023, 2024 or 2024-pdf.",
        "EDITION",
        group="Course",
    ),
]
Out = Annotated[Path, _files("Folder for the runs and their table.", "DIR", folder)]
DataDir = Annotated[
    Path | None,
    _files(
        "Folder with the data. Default: $NNLOSS_DATA, else packaged or downloaded.", "DIR", folder
    ),
]
Augment = Annotated[
    bool,
    flag("--augment/--no-augment", "Train on augmented images too, and compare.", group="Training"),
]
Quick = Annotated[
    bool,
    flag(
        "--quick",
        "A few epochs, to check that everything works; recorded as quick.",
        group="Training",
    ),
]


def set_up() -> None:
    """Prepare the process of a command: write its log, and collect garbage less often."""
    log_to_terminal()
    # TensorFlow's modules and traces are millions of objects that live to the end. To search them
    # again and again, and once more at the end, took a quarter of the time of a short command.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)


def log_to_terminal(file: TextIO | None = None) -> None:
    """Write the log of nnloss, and no other log, to a file; the default is standard error."""
    logger = logging.getLogger("nnloss")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(file)
    handler.setFormatter(_Wrapped())
    logger.addHandler(handler)
    logger.propagate = False  # some libraries write to the root logger


class _Wrapped(logging.Formatter):
    """Wraps a message to the terminal; elsewhere it is one line, which can be searched."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        message, console = super().formatMessage(record), Console(stderr=True)
        return wrapped(message, console.width, "    ") if console.is_terminal else message


def run(main: Callable[..., None]) -> None:
    """Run a function with its signature as the command line, and exit with its status."""
    set_up()
    sys.exit(status(application(main)))


class WithoutTypes:
    """Mixin of commands in whose help flags and arguments have no type; ``--help`` comes last."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters of the command."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for each in parameters:
            if getattr(each, "is_flag", True):  # an argument is no option, and has no such field
                each.display_type_rich = lambda ctx: ""
            if each.name == "help":
                each.rich_help_panel = "Other"
        return parameters


class Command(WithoutTypes, TyperCommand):
    """The command of an application."""


def application(main: Callable[..., None]) -> typer.Typer:
    """Return a Typer application with one command, whose options are the function's parameters."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    paragraphs = inspect.getdoc(main) or ""
    text = "\n\n".join(" ".join(each.split()) for each in paragraphs.split("\n\n"))
    app.command(cls=Command, help=text)(main)
    return app


def status(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; invalid input prints one line on stderr."""
    try:
        ended = app(arguments, prog_name=provenance.program(), standalone_mode=False)
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        return status
    return _interrupted() if ended == 130 else int(ended or 0)


def status_of(error: BaseException) -> int | None:
    """Print an error that a user can mend as one line on standard error; return the exit status.

    None is returned, and nothing printed, for an error in the program.
    """
    if isinstance(error, KeyboardInterrupt):
        return _interrupted()
    if isinstance(error, typer.TyperException):
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        if not message:  # without arguments, and the help has been printed
            return 2
        return print_error(f"{message}. See --help")
    if isinstance(error, NnlossError):
        return print_error(str(error))
    if isinstance(error, OSError):
        return print_error(
            f"Files must be readable and writable; the system reports: {error}. See --help"
        )
    return None


def _interrupted() -> int:
    print("Interrupted.", file=sys.stderr)
    return 130


def print_error(message: str) -> int:
    """Print an error as one line on standard error, and return the exit status 2."""
    print("Error: " + printable(" ".join(message.split())), file=sys.stderr)
    return 2


def heading(text: str) -> None:
    """Print a heading."""
    console = _console()
    print()
    console.print(Text(wrapped(text, console.width), "bold"))


def paragraph(text: str) -> None:
    """Print a paragraph wrapped to the terminal; line breaks in `text` are ignored."""
    print(wrapped(text, width_of_text()))


def width_of_text() -> int:
    """Return the width of a paragraph: the terminal's, and 100 at most."""
    return min(_console().width, _WIDTH)


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Return text in lines of `width`, all but the first with an indent.

    Lines break between words only: a path or a number is never cut.
    """
    return textwrap.fill(
        " ".join(text.split()),
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def quick_run(what: str) -> str:
    """Return the sentence of a quick run. `what` says how, such as "5 of 100 epochs"."""
    return f"Quick run: {what}; its numbers mean little."


def closing(
    runs: Mapping[str, Path], figure: Path | None = None, command: str | None = None
) -> None:
    """Print the end of an exercise: the folders of its runs, and what to look at and do next.

    Paths and the command stand on lines of their own, which are never broken.

    Parameters
    ----------
    runs : mapping of str to Path
        Folder of each run, by a name such as the loss.
    figure : Path, optional
        The figure to open first.
    command : str, optional
        The command to run next.
    """
    heading("Results")
    lines: list[tuple[str, Any]] = [(f"Run '{name}'", folder) for name, folder in runs.items()]
    lines += [("To open first", figure), ("To run next", command)]
    for name, value in lines:
        if value is not None:
            print(f"{name}:\n    {value}")


def table(frame: pd.DataFrame, title: str | None = None) -> None:
    """Print a table without its index: numbers right-aligned, floats with six significant digits.

    Texts and headers fold between words, numbers never. Columns that do not fit the terminal are
    printed as further tables below, which repeat the first columns: as many as tell the rows apart.
    """
    console = _console()
    if title:
        console.print(Text(wrapped(title, console.width), "table.title"))
    columns = [_Column(str(name), frame.iloc[:, n]) for n, name in enumerate(frame.columns)]
    keys = _keys(frame)
    if any(_least([*columns[:keys], each]) > console.width for each in columns[keys:]):
        keys = 1
    for part in _parts(columns[:keys], columns[keys:], console.width):
        drawn = Table()
        for each, width in zip(part, _widths(part, console.width), strict=True):
            justify: Literal["right", "left"] = "right" if each.numeric else "left"
            drawn.add_column(Text(each.header), justify=justify, width=width, overflow="fold")
        for row in zip(*(each.cells for each in part), strict=True):
            drawn.add_row(*map(Text, row))
        console.print(drawn)


class _Column:
    """Texts of a column, and its widths: in full, with words whole, and with numbers whole."""

    def __init__(self, header: str, values: Iterable[Any]) -> None:
        self.header, self.cells = header, [cell(value) for value in values]
        numbers = [text for text in self.cells if _NUMBER.fullmatch(text)]
        self.numeric = len(numbers) == len(self.cells)
        self.full = max(map(cell_len, [header, *self.cells]))
        self.whole = max(map(cell_len, numbers), default=1)
        self.least = max(self.whole, *map(cell_len, " ".join([header, *self.cells]).split()))


def _keys(frame: pd.DataFrame) -> int:
    """Return how many of the first columns tell the rows apart; 1 if all of them do not."""
    count = range(1, frame.shape[1])
    return next((n for n in count if not frame.iloc[:, :n].astype(str).duplicated().any()), 1)


def _parts(names: list[_Column], rest: list[_Column], width: int) -> list[list[_Column]]:
    """Return the columns of as few tables as fit the width, equally many in each."""
    for count in range(1, len(rest) + 1):
        size = math.ceil(len(rest) / count)
        parts = [[*names, *rest[first : first + size]] for first in range(0, len(rest), size)]
        if size == 1 or all(_least(part) <= width for part in parts):
            return parts
    return [names] if names else []


def _least(part: list[_Column]) -> int:
    """Return the least width of a table, with three characters between columns."""
    return sum(each.least + 3 for each in part) + 1


def _widths(part: list[_Column], width: int) -> list[int]:
    """Return the widths of a table's columns. The widest are folded, a word only if it must be."""
    widths = [each.full for each in part]
    for _ in range(sum(widths) + 3 * len(widths) + 1 - width):
        between_words = [n for n, each in enumerate(part) if widths[n] > each.least]
        anywhere = [n for n, each in enumerate(part) if widths[n] > each.whole]
        if anywhere:
            widths[max(between_words or anywhere, key=lambda n: widths[n])] -= 1
    return widths


def _console() -> Console:
    """Return a console of the terminal's width, else of 100 columns; rich would assume 80."""
    console = Console()
    known = console.is_terminal or "COLUMNS" in os.environ
    return console if known else Console(width=_WIDTH)


def is_numeric(values: Iterable[Any]) -> bool:
    """Return whether all cells of a column are numbers, or text that is one."""
    return all(_NUMBER.fullmatch(cell(value)) for value in values)


def cell(value: Any) -> str:
    """Return a cell of a table as text, a float with six significant digits."""
    return f"{value:#.6g}" if isinstance(value, float) else " ".join(str(value).split())
