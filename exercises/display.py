"""How the exercises print: headings, paragraphs and tables."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from nnloss.table import LOSSES

if TYPE_CHECKING:
    import pandas as pd

    from nnloss import RunRecord
    from nnloss.published import Settings

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


def published_table(record: RunRecord, course: Settings) -> None:
    """Print our numbers, the published ones and the differences, to the published decimals.

    Numbers of a network that was not trained as the course's are left out.

    Parameters
    ----------
    record : RunRecord
        With its field ``published``.
    course : Settings
        The settings that the numbers were published for.
    """
    import pandas as pd

    from nnloss.published import decimals

    ours = (record.epochs, record.batch_size)
    alike = ours == (course.epochs, course.batch_size) and not record.quick
    compared = [each for each in record.published if alike or each["key"].startswith("baseline.")]
    rows = []
    for each in compared:
        digits = decimals(each["published"])
        rounded = round(each["ours"], digits)
        rows.append(
            {
                "quantity": each["quantity"],
                "ours": f"{rounded:.{digits}f}",
                "published": f"{each['published']:.{digits}f}",
                "difference": f"{round(rounded - each['published'], digits) + 0.0:.{digits}f}",
            }
        )
    if rows:
        table(pd.DataFrame(rows))
    fixed = [each["quantity"] for each in compared if each["key"].startswith("baseline.")]
    if fixed:
        model = fixed[0].partition(":")[0]
        paragraph(f"The {model} has no randomness and must agree to the printed digits.")
    if not alike:
        paragraph(
            f"{'In a quick run the' if record.quick else 'The'} network was trained for "
            f"{record.epochs} epochs in batches of "
            f"{record.batch_size}, the course's for {course.epochs} in batches of "
            f"{course.batch_size}: no comparison."
        )
    elif any(each["key"].startswith("metrics.") for each in compared):
        paragraph(
            f"The networks start from random weights: ours is the run with seed {record.seed}, "
            "the course's one run without a seed."
        )
    else:
        title = LOSSES[record.loss].title if record.loss else "this loss"
        paragraph(f"The course has no network trained on {title}.")


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
