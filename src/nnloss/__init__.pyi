from . import course, likelihoods, plots, report, reproduction, theory
from .datasets import Split, load_boston, load_cifar10, load_wafer
from .errors import DataError, FolderError, NnlossError, PairingError, TargetError
from .labs import Lab, lab
from .pairing import Finding, PairingReport, check_pairing
from .runs import Run, RunRecord
from .table import (
    BINARY,
    COUNTS,
    MULTICLASS,
    MULTILABEL,
    MULTIOUTPUT,
    REGRESSION,
    TASKS,
    Task,
    class_numbers,
    encode,
)
from .training import (
    Backup,
    EpochProgress,
    TaskModel,
    compile_for_task,
    fit_many,
    predict_many,
    set_seed,
)

__all__ = [
    "BINARY",
    "COUNTS",
    "MULTICLASS",
    "MULTILABEL",
    "MULTIOUTPUT",
    "REGRESSION",
    "TASKS",
    "Backup",
    "DataError",
    "EpochProgress",
    "Finding",
    "FolderError",
    "Lab",
    "NnlossError",
    "PairingError",
    "PairingReport",
    "Run",
    "RunRecord",
    "Split",
    "TargetError",
    "Task",
    "TaskModel",
    "check_pairing",
    "class_numbers",
    "compile_for_task",
    "course",
    "encode",
    "fit_many",
    "lab",
    "likelihoods",
    "load_boston",
    "load_cifar10",
    "load_wafer",
    "plots",
    "predict_many",
    "report",
    "reproduction",
    "set_seed",
    "theory",
]
