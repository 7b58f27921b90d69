"""Quiz questions: what one is, and when an answer to it is right."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from nnloss.errors import NnlossError

_TRUTH = {
    **dict.fromkeys(("true", "t", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "no", "n"), False),
}
_LETTERS = "abcdefgh"  # q stops the quiz
MOST_OPTIONS = len(_LETTERS)


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Parameters
    ----------
    id : str
        Its name, which stays when the wording changes.
    topic : str
        What it is about.
    kind : str
        "choice", "true_false", "match", "order", "number" or "blank".
    question : str
        The text: paragraphs, and blocks of code indented by four spaces.
    answer : str, bool, float, tuple of str, or dict of str to str
        The letter of a choice; a truth; a number; the letters in their order; a letter for each
        item ("1", "2", ...) of a match; the accepted spellings of a blank, the best one first.
    reason : str
        Why it is the answer.
    items : tuple of str
        What a match has on the left, numbered from 1.
    options : tuple of str
        What there is to choose from, lettered from a.
    tolerance : float
        How far from the answer a number may be.
    hint : str
        A help that does not give the answer away, or nothing.
    proof : str
        Python code that fails where `answer`, a variable of it, is not the answer; or nothing.
    """

    id: str
    topic: str
    kind: str
    question: str
    answer: Any
    reason: str
    items: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    tolerance: float = 0.0
    hint: str = ""
    proof: str = ""

    @property
    def letters(self) -> tuple[str, ...]:
        """Letters of the options."""
        return tuple(_LETTERS[: len(self.options)])

    @property
    def numbers(self) -> tuple[str, ...]:
        """Numbers of the items."""
        return tuple(str(number) for number in range(1, len(self.items) + 1))

    @property
    def expected(self) -> str:
        """What an answer looks like, for a prompt."""
        letters = ", ".join(self.letters)
        return {
            "choice": f"one of {letters}",
            "true_false": "true or false",
            "match": f"a letter for each number, as in {' '.join(f'{n}_' for n in self.numbers)}",
            "order": f"all of {letters}, in the right order",
            "number": "a number",
            "blank": "what stands in place of ____",
        }[self.kind]

    @property
    def solution(self) -> str:
        """The answer as text."""
        match self.kind:
            case "choice":
                return f"{self.answer}) {self.options[self.letters.index(self.answer)]}"
            case "true_false":
                return "true" if self.answer else "false"
            case "match":
                return " ".join(f"{number}{letter}" for number, letter in self.answer.items())
            case "order":
                return " ".join(self.answer)
            case "number":
                return f"{self.answer:,}"
        return str(self.answer[0])

    @property
    def program(self) -> str:
        """The proof as a program that runs by itself; empty without one."""
        return f"answer = {self.answer!r}\n{self.proof.strip()}" if self.proof else ""

    def understand(self, text: str) -> Any:
        """Read an answer, tolerant of spaces, commas, brackets and upper case.

        Parameters
        ----------
        text : str
            What was typed.

        Returns
        -------
        str, bool, float, tuple of str, or dict of str to str, or None
            As `answer`, but the text itself for a blank; None if it is no answer to this question.
        """
        text = text.strip().replace("\N{MINUS SIGN}", "-")
        lower = text.lower()
        match self.kind:
            case "choice":
                letter = lower.strip("(). ")
                return letter if letter in self.letters else None
            case "true_false":
                return _TRUTH.get(lower.rstrip("."))
            case "match":
                return self._pairs(lower)
            case "order":
                letters = tuple(re.findall(r"\w", lower))
                return letters if sorted(letters) == list(self.letters) else None
            case "number":
                return self._number(text)
        return text or None

    def is_right(self, given: Any) -> bool:
        """Judge an answer.

        Parameters
        ----------
        given : any
            As `understand` returns it.

        Returns
        -------
        bool
            Whether it is the answer.
        """
        if self.kind == "number":
            return bool(abs(given - self.answer) <= self.tolerance + 1e-9)
        if self.kind == "blank":
            # `loss="bce"` is meant where `"bce"` is missing behind `loss=`.
            meant = {_plain(given), _plain(given.partition("=")[2])}
            return bool(meant & {_plain(spelling) for spelling in self.answer})
        return bool(given == self.answer)

    def _pairs(self, text: str) -> dict[str, str] | None:
        pattern = r"(\d+)\W*([a-z])"
        pairs = re.findall(pattern, text)
        rest = re.sub(pattern, "", text)
        numbers = sorted(number for number, _ in pairs)
        if re.search(r"\w", rest) or numbers != list(self.numbers):
            return None
        if not all(letter in self.letters for _, letter in pairs):
            return None
        return dict(sorted(pairs))

    def _number(self, text: str) -> float | None:
        text = re.sub(r"\s", "", text)
        # A comma groups thousands where a whole number is due; elsewhere it is a decimal comma.
        whole = self.answer == int(self.answer) and re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", text)
        text = text.replace(",", "" if whole else ".")
        try:
            number = float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None


def of_topic(questions: list[Question], topic: str | None) -> list[Question]:
    """Take the questions of a topic.

    Parameters
    ----------
    questions : list of Question
        All of them.
    topic : str or None
        The topic, in upper or lower case; None for all.

    Returns
    -------
    list of Question
        In the same order.

    Raises
    ------
    NnlossError
        If there is no such topic.
    """
    if topic is None:
        return questions
    found = [question for question in questions if question.topic == topic.strip().lower()]
    if not found:
        raise NnlossError(
            f"The topic must be one of {', '.join(sorted({each.topic for each in questions}))}",
            f"found '{topic}'",
            "Choose one of these, or leave --topic out",
        )
    return found


def _plain(text: str) -> str:
    """Leave out what does not count in a spelling: spaces, quotation marks, upper case, an end."""
    one = text.replace("²", "^2").replace("\N{EN DASH}", "-").replace("\N{MINUS SIGN}", "-")
    return re.sub("[\\s\"'`‘’“”]", "", one).lower().rstrip(".")
