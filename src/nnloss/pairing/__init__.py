"""Do head, loss, metrics and targets fit each other?

One judge answers: `check_pairing` reports its findings, `compile_for_task` raises them. Imports
`nnloss.table` and Keras, on any backend.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
