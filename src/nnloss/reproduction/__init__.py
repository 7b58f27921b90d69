"""Do the published numbers hold?

A sweep trains the exercises' networks from many seeds, resumably, here or on a cluster; verdicts
and comparisons judge it. Imports `nnloss.course`, `nnloss.training`, `nnloss.runs` and the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
