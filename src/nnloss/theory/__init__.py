"""Why these pairs, and what goes wrong with others?

Identities, GLM twins, pitfalls, landscape, hidden states and backpropagation, in numbers that are
claims with a tolerance. Imports `nnloss.training`, `nnloss.datasets` and the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
