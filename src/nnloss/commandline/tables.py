"""Tables that are complete at any width."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from nnloss.commandline.text import output, wrapped

if TYPE_CHECKING:
    import pandas as pd

_ONE = r"[-+−]?(?:[\d.,]+(?:e[-+]\d+)?|nan|inf)(?: ?%)?"
#: Text of a cell that is a number or two, as in "19.2 to 24.6" and "3 of 20", or nothing.
_NUMBER = re.compile(rf"{_ONE}(?: (?:to|of|and) {_ONE})?|[-–]?")


def table(frame: pd.DataFrame, title: str | None = None) -> None:
    """Print a table without its index: numbers right-aligned, floats with six significant digits.

    Texts and headers fold between words, numbers never. Columns that do not fit the terminal are
    printed as further tables below, which repeat the first columns: as many as tell the rows apart.
    """
    console = output()
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
        self.numeric = is_numeric(self.cells)
        numbers = [text for text in self.cells if _NUMBER.fullmatch(text)]
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


def is_numeric(values: Iterable[Any]) -> bool:
    """Return whether all cells of a column are numbers, or text that is one."""
    return all(_NUMBER.fullmatch(cell(value)) for value in values)


def cell(value: Any) -> str:
    """Return a cell of a table as text, a float with six significant digits."""
    return f"{value:#.6g}" if isinstance(value, float) else " ".join(str(value).split())
