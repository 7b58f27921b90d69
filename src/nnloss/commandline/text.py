"""Headings and paragraphs, wrapped to the terminal, or to 100 columns if they go elsewhere.

$COLUMNS overrides both.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

_WIDTH = 100


def heading(text: str) -> None:
    """Print a heading."""
    console = output()
    print()
    console.print(Text(wrapped(text, console.width), "bold"))


def paragraph(text: str) -> None:
    """Print a paragraph wrapped to the terminal; line breaks in `text` are ignored."""
    print(wrapped(text, width_of_text()))


def width_of_text() -> int:
    """Return the width of a paragraph: the terminal's, and 100 at most."""
    return min(output().width, _WIDTH)


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


def output() -> Console:
    """Return a console of the terminal's width, else of 100 columns; rich would assume 80."""
    console = Console(force_jupyter=False)  # which would show it apart from what is printed
    known = console.is_terminal or "COLUMNS" in os.environ
    return console if known else Console(force_jupyter=False, width=_WIDTH)
