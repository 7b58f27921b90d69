"""Results of `check_pairing`: a finding for each output and an overall verdict."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal

from nnloss.errors import PairingError, printable

Verdict = Literal["right", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """Result of a check of one output of a model.

    Parameters
    ----------
    output : str
        Name of the output; empty for the whole model.
    verdict : {"right", "wrong", "unknown"}
        Whether output layer, loss and targets fit.
    rule, found, remedy : str
        The requirement, what was found, and what to do. For ``"unknown"``, `remedy` says how to
        find out; for ``"right"``, it is empty or a note.

    Examples
    --------
    >>> import keras
    >>> from nnloss import check_pairing
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1, "relu")])
    >>> (finding,) = check_pairing(model, "mean_squared_error").findings
    >>> finding.verdict
    'wrong'
    >>> print(finding.remedy)
    End in a linear layer
    """

    output: str
    verdict: Verdict
    rule: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.rule}; {self.found}."
        return f"{text} {self.remedy}." if self.remedy else text


@dataclass(frozen=True)
class PairingReport:
    """Report of `check_pairing`.

    Parameters
    ----------
    model : str
        Name of the model.
    findings : tuple of Finding
        One for each output and each of its losses.

    See Also
    --------
    check_pairing : Make a report.

    Examples
    --------
    >>> import keras
    >>> from nnloss import check_pairing
    >>> head = keras.layers.Dense(1, "sigmoid", name="head")
    >>> model = keras.Sequential([keras.Input((8,)), head], name="net")
    >>> report = check_pairing(model, "binary_crossentropy")
    >>> print(report)
    net: right
      output 'head', right: The loss 'binary_crossentropy' fits this output; output 'head' of model
        'net' ends in Dense(1, activation='sigmoid').
    >>> report.to_dict()["verdict"]
    'right'
    """

    model: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """``"wrong"`` if any output is wrong, else ``"unknown"`` if any is, else ``"right"``."""
        found = {finding.verdict for finding in self.findings}
        order: tuple[Verdict, ...] = ("wrong", "unknown", "right")
        return next(verdict for verdict in order if verdict in found)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict of plain types, for JSON.

        Returns
        -------
        dict
            Keys ``model``, ``verdict`` and ``findings``.
        """
        findings = [asdict(finding) for finding in self.findings]
        return {"model": self.model, "verdict": self.verdict, "findings": findings}

    def raise_if_wrong(self) -> PairingReport:
        """Raise an error for the first output that is wrong.

        Returns
        -------
        PairingReport
            The report itself, if no output is wrong.

        Raises
        ------
        PairingError
            With the rule, what was found and the remedy.
        """
        for finding in self.findings:
            if finding.verdict == "wrong":
                raise PairingError(finding.rule, finding.found, finding.remedy)
        return self

    def _repr_html_(self) -> str:
        """Return the report as an HTML table, for notebooks."""
        heads = ("output", "verdict", "rule", "found", "what to do")
        cells = [
            (finding.output, finding.verdict, finding.rule, finding.found, finding.remedy)
            for finding in self.findings
        ]
        rows = [
            "".join(
                f"<{tag} style='text-align: left'>{escape(printable(cell))}</{tag}>" for cell in row
            )
            for tag, row in [("th", heads), *(("td", row) for row in cells)]
        ]
        title = f"{escape(printable(self.model))}: {self.verdict}"
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><caption>{title}</caption>{body}</table>"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = 100) -> str:
        """Return the report as text, a line or more for each finding.

        Parameters
        ----------
        width : int, default 100
            Longest line; a longer word has a line of its own.

        Returns
        -------
        str
            Lines without a line break at the end.
        """
        lines = [f"{printable(self.model)}: {self.verdict}"]
        for finding in self.findings:
            name = f"output '{finding.output}'" if finding.output else "model"
            text = printable(f"{name}, {finding.verdict}: {finding}")
            lines.append(
                textwrap.fill(
                    text,
                    width,
                    initial_indent="  ",
                    subsequent_indent="    ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
        return "\n".join(lines)
