"""Quiz on losses: questions with answers, reasons and proofs, and a memory of past answers.

The questions are in `questions.toml`. Imports `nnloss.errors` only.
"""

from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import Question

__all__ = ["Question", "read_questions"]
