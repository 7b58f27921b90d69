"""What does the page about a sweep show?

`page` builds one HTML page from the tables of a sweep, figures included. Imports
`nnloss.reproduction`, `nnloss.course`, `nnloss.plots`, `nnloss.runs` and `nnloss.table`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
