"""Numerical evidence for the pairs of output and loss, and experiments with other pairs.

Identities, GLM twins, pitfalls, loss landscapes, hidden states and backpropagation. Results are
claims with a tolerance. Imports `nnloss.training`, `nnloss.datasets` and the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
