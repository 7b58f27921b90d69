"""The errors of the package: each says the rule, what was found and what to do."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape what a terminal would act on or cannot show.

    Parameters
    ----------
    text : str
        With names from a file that may come from anywhere.

    Returns
    -------
    str
        Without control characters and halves of characters.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


class NnlossError(ValueError):
    """An input that breaks a rule of the package.

    Parameters
    ----------
    rule : str
        What is needed, as the start of a sentence.
    found : str
        What was there instead, as its end.
    remedy : str
        What to do about it: a sentence, without its full stop.

    Notes
    -----
    The message is one line: ``"{rule}; {found}. {remedy}."``
    """

    def __init__(self, rule: str, found: str, remedy: str) -> None:
        super().__init__(f"{rule}; {found}. {remedy}.")
        self.rule = rule
        self.found = found
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[NnlossError], tuple[str, str, str]]:
        # BaseException would rebuild it from the one-line message alone.
        return type(self), (self.rule, self.found, self.remedy)


class PairingError(NnlossError):
    """A model, an output activation, a loss or a metric that does not fit the task."""


class TargetError(NnlossError):
    """Inputs or targets outside the domain on which the task's loss is a likelihood."""


class DataError(NnlossError):
    """A data set that is missing, damaged or not the one expected."""


class FolderError(NnlossError):
    """A place that results cannot be written to."""
