"""What the exercises' command lines share: their options, and how they are run."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nnloss.commandline import status
from nnloss.files import require_folder as require_folder


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
    # Ours alone: TensorFlow logs through its own logger and the root logger.
    logger = logging.getLogger("nnloss")
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.StreamHandler())
    logger.propagate = False  # the root logger belongs to the libraries, and some write to it
    if "ipykernel" in sys.modules:
        main()
        return
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    sys.exit(status(app))
