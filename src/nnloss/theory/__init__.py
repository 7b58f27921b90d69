"""Why these pairs, and what goes wrong with others: numerical claims, each with a tolerance.

Identities, GLM twins, pitfalls, loss landscapes, hidden states and backpropagation. Imports
`nnloss.training`, `nnloss.datasets` and the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
