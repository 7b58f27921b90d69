"""How the exercises print: headings, paragraphs and tables."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from nnloss import RunRecord

_WIDTH = 100


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


def table(frame: pd.DataFrame, title: str | None = None) -> None:
    """Print a table; numbers are right-aligned.

    Parameters
    ----------
    frame : DataFrame
        Its index is not printed. Floats are shown with six significant digits.
    title : str, optional
        Above the table.
    """
    drawn = Table(title=title, title_justify="left")
    for name in frame.columns:
        numeric = frame[name].map(lambda value: isinstance(value, (int, float))).all()
        drawn.add_column(str(name), justify="right" if numeric else "left", no_wrap=True)
    for row in frame.itertuples(index=False):
        drawn.add_row(*(_text(value) for value in row))
    _console().print(drawn)


def published_table(record: RunRecord, *, as_published: bool) -> None:
    """Print our numbers, the published ones and the differences.

    Parameters
    ----------
    record : RunRecord
        With its field ``published``.
    as_published : bool
        Whether the run had the settings that the numbers were published for.
    """
    import pandas as pd

    columns = ["quantity", "ours", "published", "difference"]
    table(pd.DataFrame(record.published)[columns])
    if not as_published:
        paragraph(
            "The epochs or the batch size were not the course's: the networks do not compare."
        )
    paragraph(
        "The linear regression must agree to the printed digits. The networks start from random "
        f"weights: ours is the run with seed {record.seed}, the course's one run without a seed."
    )


def _console() -> Console:
    console = Console()
    # Without a terminal rich assumes 80 columns, which would cut our tables.
    return console if console.is_terminal else Console(width=_WIDTH)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
