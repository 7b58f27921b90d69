"""Results of questions, and their counts by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nnloss.quiz.questions import Question

if TYPE_CHECKING:
    import pandas as pd


class Result(NamedTuple):
    """A question with the answer given to it, as parsed; None if it was skipped."""

    question: Question
    given: Any

    @property
    def skipped(self) -> bool:
        """Return whether the question was skipped."""
        return self.given is None

    @property
    def right(self) -> bool:
        """Return whether the answer is right."""
        return not self.skipped and self.question.is_right(self.given)

    @property
    def wrong(self) -> bool:
        """Return whether the answer is wrong; a skipped question has no answer."""
        return not self.skipped and not self.right

    @property
    def verdict(self) -> str:
        """Return the result as a word."""
        return "Skipped" if self.skipped else "Right" if self.right else "Wrong"

    @property
    def said(self) -> str:
        """Return the given answer as text."""
        return "Skipped" if self.skipped else f"You answered {self.question.wording(self.given)}"


def by_topic(results: list[Result]) -> pd.DataFrame:
    """Count the questions of each topic, and those right, wrong and skipped."""
    import pandas as pd

    counts = pd.DataFrame(
        {
            "topic": each.question.topic,
            "questions": 1,
            "right": each.right,
            "wrong": each.wrong,
            "skipped": each.skipped,
        }
        for each in results
    )
    return counts.groupby("topic", as_index=False).sum()
