"""Neural-network losses are likelihoods: output activation and loss in their right pairs.

The public names are loaded when they are first used, so that ``import nnloss`` is quick and the
parts that need no TensorFlow do not load it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnloss import likelihoods, paired, plots, published, report, verdicts
    from nnloss.backup import Backup
    from nnloss.datasets import Split, load_boston, load_cifar10, load_wafer
    from nnloss.encoding import class_numbers, encode
    from nnloss.ensembles import fit_many
    from nnloss.errors import DataError, NnlossError, OutputError, PairingError, TargetError
    from nnloss.models import TaskModel, compile_for_task
    from nnloss.pairing.check import check_pairing
    from nnloss.pairing.report import Finding, PairingReport
    from nnloss.progress import EpochProgress
    from nnloss.records import RunRecord
    from nnloss.runs import Run
    from nnloss.table import (
        BINARY,
        COUNTS,
        MULTICLASS,
        MULTILABEL,
        MULTIOUTPUT,
        REGRESSION,
        TASKS,
        Task,
    )
    from nnloss.training import set_seed

_MODULES: dict[str, tuple[str, ...]] = {
    "backup": ("Backup",),
    "pairing.check": ("check_pairing",),
    "datasets": ("Split", "load_boston", "load_cifar10", "load_wafer"),
    "encoding": ("class_numbers", "encode"),
    "ensembles": ("fit_many",),
    "errors": ("DataError", "NnlossError", "OutputError", "PairingError", "TargetError"),
    "pairing.report": ("Finding", "PairingReport"),
    "models": ("TaskModel", "compile_for_task"),
    "progress": ("EpochProgress",),
    "records": ("RunRecord",),
    "runs": ("Run",),
    "table": (
        "BINARY",
        "COUNTS",
        "MULTICLASS",
        "MULTILABEL",
        "MULTIOUTPUT",
        "REGRESSION",
        "TASKS",
        "Task",
    ),
    "training": ("set_seed",),
    # Used as modules: nnloss.likelihoods.mean_squared_error
    "likelihoods": (),
    "paired": (),
    "plots": (),
    "published": (),
    "report": (),
    "verdicts": (),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

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
    "NnlossError",
    "OutputError",
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
    "encode",
    "fit_many",
    "likelihoods",
    "load_boston",
    "load_cifar10",
    "load_wafer",
    "paired",
    "plots",
    "published",
    "report",
    "set_seed",
    "verdicts",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"nnloss.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'nnloss' has no attribute {name!r}")
    return getattr(import_module(f"nnloss.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
