"""What the command lines share: options, printing, errors in one line, the exit status.

The exit status is 0 when the command is done, 2 for wrong input, 130 after Ctrl-C, else what the
command gives.
"""

from __future__ import annotations

import logging
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    """Make a parser of whole numbers in a range.

    Parameters
    ----------
    least, most : int
        The range, both included; without `most` it has no end.

    Returns
    -------
    callable
        From text to number; it raises ``typer.BadParameter``.
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
    """Describe an option of an exercise, for ``typing.Annotated``.

    Parameters
    ----------
    help_text : str
        One sentence.
    metavar : str, optional
        Name of its value.
    parser : callable, optional
        From text to value.

    Returns
    -------
    typer.Option
        Named after the parameter of ``main``.
    """
    return typer.Option(help=help_text, metavar=metavar, parser=parser)


Seed = Annotated[int, option("Seed of weights and shuffling.", "N", whole_number(0, 2**32 - 1))]
Epochs = Annotated[
    int | None, option("Epochs of training. Default: the edition's.", "N", whole_number(1))
]
BatchSize = Annotated[
    int | None, option("Rows in a batch. Default: the edition's.", "N", whole_number(1, 2**31 - 1))
]
Edition = Annotated[
    Literal["2023", "2024"], option("Edition of the course: its settings and numbers.")
]
Out = Annotated[Path, option("Folder for the runs and their table.", "DIR", _folder)]
DataDir = Annotated[
    Path | None,
    option(
        "Folder with the data. Default: $NNLOSS_DATA, else packaged or fetched.", "DIR", _folder
    ),
]
Augment = Annotated[
    bool,
    typer.Option("--augment/--no-augment", help="Train on augmented images too, and compare."),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="A few epochs, to see that all works; recorded as quick.")
]


def log_to_terminal() -> None:
    """Write the log of nnloss to standard error, and no other log."""
    logger = logging.getLogger("nnloss")
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.StreamHandler())
    logger.propagate = False  # the root logger belongs to the libraries, and some write to it


def run(main: Callable[..., None]) -> None:
    """Run an exercise: its signature is its command line.

    Parameters
    ----------
    main : callable
        The exercise. In a notebook it is called with its defaults.

    Raises
    ------
    SystemExit
        With the exit status; not in a notebook.
    """
    log_to_terminal()
    if "ipykernel" in sys.modules:
        main()
        return
    sys.exit(status(application(main)))


def application(main: Callable[..., None]) -> typer.Typer:
    """Return a Typer application with one command, whose options are the function's parameters."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    return app


def status(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    app : typer.Typer
        Its commands.
    arguments : sequence of str, optional
        Default: ``sys.argv[1:]``.

    Returns
    -------
    int
        The exit status. What is wrong with the input is on standard error then, in one line.
    """
    try:
        ended = app(arguments, prog_name=provenance.program(), standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        return complain(f"{message}. See --help")
    except NnlossError as error:
        return complain(str(error))
    except OSError as error:
        return complain(
            f"Files must be readable and writable; the system says: {error}. See --help"
        )
    if ended == 130:
        print("Interrupted.", file=sys.stderr)
    return int(ended or 0)


def complain(message: str) -> int:
    """Print an error as one line on standard error.

    Parameters
    ----------
    message : str
        What is wrong with the input.

    Returns
    -------
    int
        The exit status that goes with it, 2.
    """
    print("Error: " + printable(" ".join(message.split())), file=sys.stderr)
    return 2


def heading(text: str) -> None:
    """Print a heading.

    Parameters
    ----------
    text : str
        One line.
    """
    _console().print(f"\n[bold]{text}[/bold]", highlight=False)


def paragraph(text: str) -> None:
    """Print a paragraph, wrapped to the terminal.

    Parameters
    ----------
    text : str
        Line breaks in it do not count.
    """
    console = _console()
    print(textwrap.fill(" ".join(text.split()), width=min(console.width, _WIDTH)))


def table(frame: pd.DataFrame, title: str | None = None, *, wrapped: str | None = None) -> None:
    """Print a table; numbers are right-aligned.

    Parameters
    ----------
    frame : DataFrame
        Its index is not printed. Floats are shown with six significant digits.
    title : str, optional
        Above the table.
    wrapped : str, optional
        A column whose texts may take several lines.
    """
    drawn = Table(title=title, title_justify="left")
    for name in frame.columns:
        numeric = frame[name].map(_is_number).all()
        drawn.add_column(str(name), justify="right" if numeric else "left", no_wrap=name != wrapped)
    for row in frame.itertuples(index=False):
        drawn.add_row(*(_text(value) for value in row))
    _console().print(drawn)


def _console() -> Console:
    console = Console()
    # Without a terminal rich assumes 80 columns, which would cut our tables.
    return console if console.is_terminal else Console(width=_WIDTH)


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        or re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", str(value)) is not None
    )


def _text(value: Any) -> str:
    return f"{value:#.6g}" if isinstance(value, float) else str(value)
