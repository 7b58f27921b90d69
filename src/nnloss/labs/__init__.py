"""What makes a file a lab?

`lab` begins it: as a command with options, or as a notebook. The `Lab` starts runs, shows results
and saves them. Imports ``nnloss.commandline``, `nnloss.course`, `nnloss.datasets`, `nnloss.plots`,
`nnloss.runs` and `nnloss.training`.
"""

from nnloss.labs.begin import lab
from nnloss.labs.cells import Lab

__all__ = ["Lab", "lab"]
