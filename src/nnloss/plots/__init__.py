"""How does a result look?

Each function draws tables or arrays as a matplotlib Figure and writes no file. The caller names
the units. Imports nothing from the rest of nnloss.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
