"""Do the published numbers hold?

A sweep trains the exercises' networks with many seeds, here or on a cluster, and can be resumed;
verdicts and comparisons judge its results. Imports `nnloss.course`, `nnloss.training`,
`nnloss.datasets`, `nnloss.runs` and `nnloss.table`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
