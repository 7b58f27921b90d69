from . import comparisons, verdicts
from .folder import SweepFolder
from .units import Configuration, Outcome, Unit

__all__ = ["Configuration", "Outcome", "SweepFolder", "Unit", "comparisons", "verdicts"]
