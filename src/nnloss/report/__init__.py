"""What does the page about a sweep show?

`page` writes one HTML file from the tables of a sweep, figures included. Imports
`nnloss.reproduction`, `nnloss.course`, `nnloss.plots`, `nnloss.runs` and the table.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
