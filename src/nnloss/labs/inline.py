"""Labs in a notebook: what is shown appears below the cell, and errors are one line."""

from __future__ import annotations

import shlex
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
import typer

from nnloss import commandline as cli
from nnloss.errors import LabError, NnlossError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def parse(app: typer.Typer, options: str) -> None:
    """Parse the options of a notebook; from now on errors of nnloss show their message only."""
    cli.log_to_terminal(sys.stdout)  # a cell shows standard error in red
    setattr(NnlossError, "_render_traceback_", lambda error: [f"Error: {error}"])  # noqa: B010
    try:
        app(shlex.split(options), standalone_mode=False)
    except typer.TyperException as error:
        raise LabError(
            "The argument 'notebook' must have options of the lab",
            f"found {options.strip()}: {error.format_message()}".rstrip("."),
            "Correct it in the first cell",
        ) from None


def display(what: Any, caption: str) -> None:
    """Show a paragraph, a table or a figure in a notebook."""
    from IPython.display import Image, Markdown
    from IPython.display import display as output

    if isinstance(what, str):
        output(Markdown(" ".join(what.split())))
    elif isinstance(what, pd.DataFrame):
        words = what.columns[[not cli.is_numeric(each) for _, each in what.items()]]
        left = {"text-align": "left"}
        table = what.style.hide(axis="index").format(cli.cell).set_properties(words, **left)
        output(table.set_caption(caption) if caption else table)
    else:
        output(Image(_picture(what)), Markdown(f"*{caption}*"))


def _picture(figure: Figure) -> bytes:
    """Return a figure as PNG with 256 colours, a third of the size with all of them."""
    from PIL import Image

    drawn, reduced = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    Image.open(drawn).convert("RGB").quantize(256).save(reduced, "png", optimize=True)
    return reduced.getvalue()
