"""A quiz on losses, output activations and likelihoods, in the style of an exam.

Also available as ``nnloss quiz``; the code is in ``nnloss.quiz``.
"""

from nnloss import commandline
from nnloss.quiz.command import main

if __name__ == "__main__":
    commandline.run(main)
