"""Losses are likelihoods: identities, GLM twins, pitfalls, landscapes, hidden states.

Also available as ``nnloss losses``; the code is in ``nnloss.theory``.
"""

from nnloss import commandline
from nnloss.theory.command import main

if __name__ == "__main__":
    commandline.run(main)
