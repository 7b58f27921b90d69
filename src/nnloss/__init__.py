"""Neural-network losses are likelihoods: matching output activations and losses.

The public names are in ``__init__.pyi``. Each is loaded when it is first used, so that ``import
nnloss`` is fast and the parts that need no TensorFlow do not load it. From then on
TensorFlow is imported without its start-up messages.
"""

import pkgutil
import sys
import warnings
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import lazy_loader

from nnloss._quiet import QuietTensorFlow

_lazy, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

#: Names of version 0.1 and what they are now; the old ones will be removed in version 0.3.
_RENAMED = {
    "OutputError": "errors.FolderError",
    "backup": "training.backup",
    "encoding": "table.encoding",
    "ensembles": "training.many_seeds",
    "models": "training.models",
    "paired": "reproduction.comparisons",
    "progress": "training.progress",
    "published": "course.published",
    "records": "runs.record",
    "verdicts": "reproduction.verdicts",
}


def _renamed(name: str) -> Any:
    new = f"nnloss.{_RENAMED[name]}"
    warnings.warn(f"nnloss.{name} is now {new}", DeprecationWarning, stacklevel=3)
    return pkgutil.resolve_name(new)


def __getattr__(name: str) -> Any:
    return _renamed(name) if name in _RENAMED else _lazy(name)


class _RenamedModules(MetaPathFinder, Loader):
    """Import a module by its former name."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        return ModuleSpec(fullname, self) if package == "nnloss" and name in _RENAMED else None

    def exec_module(self, module: ModuleType) -> None:
        found = _renamed(module.__name__.removeprefix("nnloss."))
        module.__dict__.update(vars(found))


sys.meta_path.append(_RenamedModules())
sys.meta_path.insert(0, QuietTensorFlow())  # before the finder that would import it aloud
