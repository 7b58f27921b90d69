"""Where do the data come from?

Each loader locates, downloads, parses and checks a data set, and returns it in the course's split.
Imports `nnloss.table`, and TensorFlow only for CIFAR-10.
"""

from nnloss.datasets.boston import load_boston
from nnloss.datasets.cifar10 import load_cifar10
from nnloss.datasets.split import Split
from nnloss.datasets.wafer import load_wafer

__all__ = ["Split", "load_boston", "load_cifar10", "load_wafer"]
