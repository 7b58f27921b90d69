"""What does an exam ask about losses?

Questions with answers, reasons and proofs in `questions.toml`, and a memory of past answers.
Imports `nnloss.errors` only.
"""

from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import Question

__all__ = ["Question", "read_questions"]
