"""The table: which output and loss belong to a problem.

Links, losses, families and tasks are objects that compute, in float64 NumPy, what depends on it.
Imports NumPy, SciPy and `nnloss.errors`; statsmodels where a GLM is fitted.
"""

from nnloss.table.domains import Domain
from nnloss.table.families import Family, Fit, separated
from nnloss.table.links import IDENTITY, LOGIT, SOFTMAX, Link
from nnloss.table.losses import BCE, CCE, LOSSES, MAE, MSE, SPARSE_CCE, Loss, Metric
from nnloss.table.tasks import BINARY, MULTICLASS, REGRESSION, TASKS, Task

__all__ = [
    "BCE",
    "BINARY",
    "CCE",
    "IDENTITY",
    "LOGIT",
    "LOSSES",
    "MAE",
    "MSE",
    "MULTICLASS",
    "REGRESSION",
    "SOFTMAX",
    "SPARSE_CCE",
    "TASKS",
    "Domain",
    "Family",
    "Fit",
    "Link",
    "Loss",
    "Metric",
    "Task",
    "separated",
]
