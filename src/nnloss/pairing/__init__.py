"""Checks that output layer, loss, metrics and targets fit each other.

`check_pairing` reports the findings of `nnloss.pairing.judge`; `compile_for_task` raises them. The
package imports `nnloss.table` and Keras, on any backend.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
