"""Why these pairs, and what goes wrong with others?

Identities, GLM twins, pitfalls, loss landscapes, hidden states and backpropagation, as claims with
a tolerance. Imports `nnloss.training`, `nnloss.runs`, `nnloss.datasets`, `nnloss.likelihoods` and
`nnloss.table`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
