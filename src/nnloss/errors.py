"""Errors of the package, each with the rule, what was found and what to do; printable text."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape control characters and lone surrogates, for text from an untrusted file."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


class NnlossError(ValueError):
    """An input that breaks a rule of the package.

    Parameters
    ----------
    rule : str
        The requirement, as the start of a sentence.
    found : str
        What was found instead, as its end.
    remedy : str
        What to do: a sentence without a full stop.

    Notes
    -----
    The message is one line: ``"{rule}; {found}. {remedy}."``

    Examples
    --------
    >>> from nnloss import TargetError, likelihoods
    >>> try:
    ...     likelihoods.binary_cross_entropy([1, 0], [2.0, -1.5])
    ... except TargetError as error:
    ...     print(error.remedy)
    Give probabilities, or use the function that ends in from_logits
    """

    def __init__(self, rule: str, found: str, remedy: str) -> None:
        super().__init__(f"{rule}; {found}. {remedy}.")
        self.rule = rule
        self.found = found
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[NnlossError], tuple[str, str, str]]:
        # BaseException would unpickle it from the one-line message alone.
        return type(self), (self.rule, self.found, self.remedy)


class PairingError(NnlossError):
    """A model, an output activation, a loss or a metric that does not fit the task."""


class TargetError(NnlossError):
    """Inputs or targets outside the domain on which the task's loss is a likelihood."""


class DataError(NnlossError):
    """A data set or file that is missing, damaged or not the expected one."""


class FolderError(NnlossError):
    """A folder or file that cannot be written."""


class LabError(NnlossError):
    """A lab that was imported instead of run, or invalid options in its notebook."""
