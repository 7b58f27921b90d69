"""How is the model of a task built and trained?

`compile_for_task` builds a `TaskModel`, which keeps its data on the device. `fit_many` trains many
seeds at once. Imports `nnloss.pairing`, `nnloss.runs`, `nnloss.datasets`, `nnloss.table` and
TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
