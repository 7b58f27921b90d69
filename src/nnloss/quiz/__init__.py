"""What does an exam ask about losses?

Questions with answers, reasons and proofs, which are in ``questions.toml``, and a memory of past
answers. Imports nothing from the other packages.
"""

from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import Question

__all__ = ["Question", "read_questions"]
