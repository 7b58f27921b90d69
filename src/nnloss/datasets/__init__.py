"""Where do the data come from?

A loader for each data set locates, downloads, parses and checks it, in the course's split. Imports
`nnloss.table`; TensorFlow for CIFAR-10 alone.
"""

from nnloss.datasets.boston import load_boston
from nnloss.datasets.cifar10 import load_cifar10
from nnloss.datasets.split import Split
from nnloss.datasets.wafer import load_wafer

__all__ = ["Split", "load_boston", "load_cifar10", "load_wafer"]
