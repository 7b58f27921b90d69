"""A quiz on losses, outputs and likelihoods, as an exam asks them.

The command is ``nnloss quiz`` too; its code is in ``nnloss.quiz``.
"""

from nnloss import commandline
from nnloss.quiz.command import main

if __name__ == "__main__":
    commandline.run(main)
