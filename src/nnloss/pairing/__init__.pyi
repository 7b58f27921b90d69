from .check import check_pairing
from .findings import Finding, PairingReport

__all__ = ["Finding", "PairingReport", "check_pairing"]
