"""The course's exercises: preprocessing, networks, classical models, settings, published numbers.

Imports `nnloss.datasets`, `nnloss.runs`, `nnloss.likelihoods` and the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
