"""Quiz questions, and the evaluation of answers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from nnloss.errors import NnlossError

_TRUTH = {
    **dict.fromkeys(("true", "t", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "no", "n"), False),
}
_LETTERS = "abcdefgh"  # q stops the quiz
MOST_OPTIONS = len(_LETTERS)
_WIDTH = 56  # of a line of a proof, which is printed with an indentation of 4


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Parameters
    ----------
    id : str
        Stable name, kept when the wording changes.
    topic : str
        Topic in lower case.
    kind : str
        "choice", "true_false", "match", "order", "number" or "blank".
    question : str
        Paragraphs, and code blocks indented by four spaces.
    answer : str, bool, float, tuple of str, or dict of str to str
        By kind: the letter of a choice; a bool; a letter for each item ("1", "2", ...) of a match;
        the letters of an order; a number; the accepted spellings of a blank, the best one first.
    reason : str
        Explanation of the answer.
    items : tuple of str
        Left side of a match, numbered from 1.
    options : tuple of str
        Options, lettered from a.
    tolerance : float
        Largest accepted difference from a number.
    hint : str
        Hint that does not give the answer away; may be empty.
    proof : str
        Python code that raises if the variable `answer` is wrong; may be empty.

    Examples
    --------
    >>> from nnloss.quiz import Question
    >>> asked = Question("nodes", "output", "number", "Nodes for 3 classes?", 3, "3")
    >>> asked.is_right(asked.parse(" 3.0 "))
    True
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
        """Description of a valid answer, for a prompt."""
        letters = ", ".join(self.letters)
        return {
            "choice": f"one of {letters}",
            "true_false": "true or false",
            "match": f"a letter for each number, as in {' '.join(f'{n}_' for n in self.numbers)}",
            "order": f"all of {letters}, in the right order",
            "number": "a number",
            "blank": "the text for the blank ____",
        }[self.kind]

    @property
    def solution(self) -> str:
        """Answer as text."""
        return self.wording(self.answer[0] if self.kind == "blank" else self.answer)

    @property
    def program(self) -> str:
        """Proof as a complete program; empty without one."""
        answer = pformat(self.answer, width=_WIDTH - len("answer = "), sort_dicts=False)
        return f"answer = {answer}\n{self.proof.strip()}" if self.proof else ""

    def wording(self, given: Any) -> str:
        """Return an answer as text, a choice with its option.

        Parameters
        ----------
        given : str, bool, float, tuple of str, or dict of str to str
            Result of `Question.parse`.

        Returns
        -------
        str
            Such as ``"b) softmax"`` or ``"1b 2a"``.
        """
        match self.kind:
            case "choice":
                return f"{given}) {self.options[self.letters.index(given)]}"
            case "true_false":
                return "true" if given else "false"
            case "match":
                return " ".join(f"{number}{letter}" for number, letter in given.items())
            case "order":
                return " ".join(given)
            case "number":
                return f"{given:,}"
        return str(given)

    def parse(self, text: str) -> Any:
        """Parse an answer as typed, ignoring case, spaces, commas and brackets.

        Parameters
        ----------
        text : str
            Text as typed.

        Returns
        -------
        str, bool, float, tuple of str, dict of str to str, or None
            In the form of `answer`, but plain text for a blank; None if it is not a valid answer.
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
        """Return whether an answer is right.

        Parameters
        ----------
        given : str, bool, float, tuple of str, or dict of str to str
            Result of `Question.parse`.

        Returns
        -------
        bool
            True within the tolerance of a number, and for each accepted spelling of a blank.
        """
        if self.kind == "number":
            return bool(abs(given - self.answer) <= self.tolerance + 1e-9)
        if self.kind == "blank":
            # Accept `loss="bce"` where the blank after `loss=` stands for `"bce"`.
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
        # A comma separates thousands if the answer is a whole number, else decimals.
        whole = self.answer == int(self.answer) and re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", text)
        text = text.replace(",", "" if whole else ".")
        try:
            number = float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None


def topics(questions: list[Question]) -> str:
    """Return the topics of questions in alphabetical order, joined by commas."""
    return ", ".join(sorted({question.topic for question in questions}))


def of_topic(questions: list[Question], topic: str | None) -> list[Question]:
    """Return the questions of a topic, ignoring case; all questions for None."""
    if topic is None:
        return questions
    found = [question for question in questions if question.topic == topic.strip().lower()]
    if not found:
        raise NnlossError(
            f"The topic must be one of {topics(questions)}",
            f"found '{topic}'",
            "Choose one of these, or leave --topic out",
        )
    return found


def _plain(text: str) -> str:
    """Return a spelling without spaces, quotation marks, upper case and final full stop."""
    one = text.replace("²", "^2").replace("\N{EN DASH}", "-").replace("\N{MINUS SIGN}", "-")
    return re.sub("[\\s\"'`‘’“”]", "", one).lower().rstrip(".")
