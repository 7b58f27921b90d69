"""How much is trained, in a full run and in a quick one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnloss.datasets import Split


@dataclass(frozen=True)
class Sizes:
    """Epochs, seeds and rows of the demonstrations.

    Parameters
    ----------
    boston_epochs, wafer_epochs : int
        Epochs of the course's networks.
    pairing_epochs : int
        Epochs of each pairing of `nnloss.theory.pitfalls`.
    seeds : int
        Number of seeds where several are trained.
    test_series : int or None
        Number of Wafer's test series; None for all.
    """

    boston_epochs: int
    wafer_epochs: int
    pairing_epochs: int
    seeds: int
    test_series: int | None = None

    def seeds_from(self, first: int) -> list[int]:
        """Return consecutive seeds; after the largest one, 2**32 - 1, comes 0."""
        return [(first + place) % 2**32 for place in range(self.seeds)]

    def cut(self, series: Split) -> Split:
        """Return Wafer with its first `test_series` test series."""
        few = slice(self.test_series)
        return replace(series, x_test=series.x_test[few], y_test=series.y_test[few])


FULL = Sizes(boston_epochs=100, wafer_epochs=20, pairing_epochs=30, seeds=20)
QUICK = Sizes(boston_epochs=20, wafer_epochs=3, pairing_epochs=10, seeds=4, test_series=1500)


def sizes(*, quick: bool) -> Sizes:
    """Return the sizes of a quick or of a full run."""
    return QUICK if quick else FULL
