"""What does a run leave?

A folder with `run.json`, tables and figures, and a row in the table of all runs, each written whole
or not at all. Imports `nnloss.errors`; no TensorFlow.
"""

from nnloss.runs.record import RunRecord
from nnloss.runs.run import Run

__all__ = ["Run", "RunRecord"]
