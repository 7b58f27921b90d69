from .backup import Backup
from .many_predictions import predict_many
from .many_seeds import fit_many
from .models import TaskModel, compile_for_task
from .progress import EpochProgress
from .seeds import set_seed

__all__ = [
    "Backup",
    "EpochProgress",
    "TaskModel",
    "compile_for_task",
    "fit_many",
    "predict_many",
    "set_seed",
]
