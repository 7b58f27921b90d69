"""What does a run leave?

A folder with ``run.json``, tables and figures, and a row in the table of all runs, each replaced
atomically. Imports no TensorFlow.
"""

from nnloss.runs.record import RunRecord
from nnloss.runs.run import Run

__all__ = ["Run", "RunRecord"]
