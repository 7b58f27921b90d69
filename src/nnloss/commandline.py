"""Common parts of the command lines: options, printing, one-line errors and the exit status.

The exit status is 0 on success, 2 for invalid input and 130 after Ctrl-C; a command may return
another one.
"""

from __future__ import annotations

import atexit
import gc
import logging
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer
from rich.console import Console
from rich.table import Table

from nnloss._files import require_folder as require_folder
from nnloss.errors import NnlossError, printable
from nnloss.runs import provenance

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 100


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


def _folder(text: Any) -> Path:
    if not str(text).strip():
        raise typer.BadParameter("it must be the name of a folder; found ''")
    return Path(text)


def option(
    help_text: str, metavar: str | None = None, parser: Callable[[Any], Any] | None = None
) -> Any:
    """Return a typer option for ``typing.Annotated``, named after the parameter of ``main``."""
    return typer.Option(help=help_text, metavar=metavar, parser=parser)


Seed = Annotated[
    int, option("Random seed for weights and shuffling.", "N", whole_number(0, 2**32 - 1))
]
Epochs = Annotated[
    int | None, option("Epochs of training. Default: those of the edition.", "N", whole_number(1))
]
BatchSize = Annotated[
    int | None,
    option("Rows in a batch. Default: those of the edition.", "N", whole_number(1, 2**31 - 1)),
]
Edition = Annotated[
    Literal["2023", "2024", "2024-pdf"],
    option("Edition of the course: its settings and numbers."),
]
Out = Annotated[Path, option("Folder for the runs and their table.", "DIR", _folder)]
DataDir = Annotated[
    Path | None,
    option(
        "Folder with the data. Default: $NNLOSS_DATA, else packaged or downloaded.", "DIR", _folder
    ),
]
Augment = Annotated[
    bool,
    typer.Option("--augment/--no-augment", help="Train on augmented images too, and compare."),
]
Quick = Annotated[
    bool,
    typer.Option(
        "--quick", help="A few epochs, to check that everything works; recorded as quick."
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
    logger.addHandler(logging.StreamHandler(file))
    logger.propagate = False  # some libraries write to the root logger


def run(main: Callable[..., None]) -> None:
    """Run a function with its signature as the command line, and exit with its status."""
    set_up()
    sys.exit(status(application(main)))


def application(main: Callable[..., None]) -> typer.Typer:
    """Return a Typer application with one command, whose options are the function's parameters."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
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
    _console().print(f"\n[bold]{text}[/bold]", highlight=False)


def paragraph(text: str) -> None:
    """Print a paragraph wrapped to the terminal; line breaks in `text` are ignored."""
    console = _console()
    print(textwrap.fill(" ".join(text.split()), width=min(console.width, _WIDTH)))


def table(frame: pd.DataFrame, title: str | None = None, *, wrapped: str | None = None) -> None:
    """Print a table without its index: numbers right-aligned, floats with six significant digits.

    Only the column `wrapped` may break into several lines.
    """
    drawn = Table(title=title, title_justify="left")
    for name in frame.columns:
        justify: Literal["left", "right"] = "right" if is_numeric(frame[name]) else "left"
        drawn.add_column(str(name), justify=justify, no_wrap=name != wrapped)
    for row in frame.itertuples(index=False):
        drawn.add_row(*(text(value) for value in row))
    _console().print(drawn)


def _console() -> Console:
    console = Console()
    # Without a terminal rich assumes 80 columns, too few for our tables.
    return console if console.is_terminal else Console(width=_WIDTH)


def is_numeric(column: pd.Series[Any]) -> bool:
    """Return whether all cells of a column are numbers, or text that is one."""
    return bool(column.map(_is_number).all())


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        or re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", str(value)) is not None
    )


def text(value: Any) -> str:
    """Return a cell of a table as text, a float with six significant digits."""
    return f"{value:#.6g}" if isinstance(value, float) else str(value)
