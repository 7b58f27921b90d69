"""Which output and loss belong to a problem?

Links, losses, families and tasks are objects that compute in float64 NumPy what depends on the
problem. Imports only NumPy, SciPy and `nnloss.errors`; statsmodels is loaded when a GLM is fitted.
"""

from nnloss.table.activations import Activation, Kind
from nnloss.table.domains import (
    COUNT,
    INTEGER,
    ONE_HOT,
    REAL,
    ZERO_ONE,
    Domain,
    Integers,
    Interval,
    Misfit,
    OneHot,
)
from nnloss.table.encoding import as_targets, class_numbers, encode
from nnloss.table.families import Family, Fit, separated
from nnloss.table.links import IDENTITY, LOG, LOGIT, SOFTMAX, Link
from nnloss.table.losses import (
    BCE,
    BINARY_FOCAL,
    CATEGORICAL_FOCAL,
    CCE,
    HUBER,
    KL,
    LOG_COSH,
    LOSSES,
    MAE,
    MAPE,
    MSE,
    POISSON,
    SPARSE_CCE,
    Loss,
    Metric,
)
from nnloss.table.tasks import (
    BINARY,
    COUNTS,
    MULTICLASS,
    MULTILABEL,
    MULTIOUTPUT,
    REGRESSION,
    TASKS,
    Task,
)

__all__ = [
    "BCE",
    "BINARY",
    "BINARY_FOCAL",
    "CATEGORICAL_FOCAL",
    "CCE",
    "COUNT",
    "COUNTS",
    "HUBER",
    "IDENTITY",
    "INTEGER",
    "KL",
    "LOG",
    "LOGIT",
    "LOG_COSH",
    "LOSSES",
    "MAE",
    "MAPE",
    "MSE",
    "MULTICLASS",
    "MULTILABEL",
    "MULTIOUTPUT",
    "ONE_HOT",
    "POISSON",
    "REAL",
    "REGRESSION",
    "SOFTMAX",
    "SPARSE_CCE",
    "TASKS",
    "ZERO_ONE",
    "Activation",
    "Domain",
    "Family",
    "Fit",
    "Integers",
    "Interval",
    "Kind",
    "Link",
    "Loss",
    "Metric",
    "Misfit",
    "OneHot",
    "Task",
    "as_targets",
    "class_numbers",
    "encode",
    "separated",
]
