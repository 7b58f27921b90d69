"""Options that several commands have, and their parsers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


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
