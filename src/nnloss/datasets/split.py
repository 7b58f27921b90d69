"""`Split`, a data set in its fixed split into training and test rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """Data set in its fixed split into training and test rows.

    Parameters
    ----------
    x_train : ndarray of shape (N, ...)
        Inputs of the training rows as in the source, not standardised.
    y_train : ndarray of shape (N,)
        Targets of the training rows: a quantity, or the class number, an index of `classes`.
    x_test, y_test : ndarray
        The same of the test rows.
    rows_train, rows_test : ndarray of int64 of shape (N,)
        Row numbers in the source, from 0.
    features : tuple of str
        Names of the columns of x, if any.
    classes : tuple of str
        Names of the classes by number; empty for a quantity.
    source : str
        Where the data were found, without machine-specific paths.
    sha256 : str
        Checksum of the files' concatenated bytes.
    arrays_sha256 : str
        Checksum of the numbers, independent of the file format. Loading checks this one.

    Examples
    --------
    >>> from nnloss import load_boston
    >>> split = load_boston()
    >>> split.sizes
    {'train': 404, 'test': 102}
    >>> split.features[:3], split.rows_test[:3].tolist()
    (('CRIM', 'ZN', 'INDUS'), [415, 112, 339])
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    rows_train: NDArray[np.int64]
    rows_test: NDArray[np.int64]
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    source: str = ""
    sha256: str = ""
    arrays_sha256: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Source and checksums for a run record."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "arrays_sha256": self.arrays_sha256,
        }

    @property
    def sizes(self) -> dict[str, int]:
        """Number of training and test rows for a run record."""
        return {"train": len(self.x_train), "test": len(self.x_test)}

    @property
    def class_counts(self) -> pd.DataFrame:
        """Rows per class, in columns ``class``, ``train``, ``test``; empty for a quantity."""
        count = {
            rows: np.bincount(y.astype(np.int64), minlength=len(self.classes)).tolist()
            for rows, y in (("train", self.y_train), ("test", self.y_test))
            if self.classes
        }
        return pd.DataFrame({"class": list(self.classes), **count})

    def redrawn(self, seed: int) -> Split:
        """Return a random split of all rows, of the same sizes.

        Parameters
        ----------
        seed : int
            Determines the split, whatever the present one is.

        Returns
        -------
        Split
            The same rows, in another order.

        Examples
        --------
        >>> from nnloss import load_boston
        >>> split = load_boston()
        >>> again = split.redrawn(0)
        >>> again.sizes, sorted([*again.rows_train, *again.rows_test]) == list(range(506))
        ({'train': 404, 'test': 102}, True)
        """
        rows = np.concatenate([self.rows_train, self.rows_test])
        # In the order of the source, so that the given split does not matter.
        order = np.argsort(rows)[np.random.default_rng(seed).permutation(len(rows))]
        train, test = np.split(order, [len(self.rows_train)])
        x, y = (
            np.concatenate(parts)
            for parts in ((self.x_train, self.x_test), (self.y_train, self.y_test))
        )
        return replace(
            self,
            x_train=x[train],
            y_train=y[train],
            rows_train=rows[train],
            x_test=x[test],
            y_test=y[test],
            rows_test=rows[test],
        )

    def head(self, rows: int) -> Split:
        """Return a split with the first training rows and all test rows.

        Parameters
        ----------
        rows : int
            Number of training rows.

        Returns
        -------
        Split
            Of ``rows`` training rows, or of all if there are fewer.
        """
        return replace(
            self,
            x_train=self.x_train[:rows],
            y_train=self.y_train[:rows],
            rows_train=self.rows_train[:rows],
        )
