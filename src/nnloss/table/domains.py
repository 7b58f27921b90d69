"""Domains: the values that a target may take, and so the shape it comes in."""

from __future__ import annotations

from enum import Enum


class Domain(Enum):
    """The values that a target may take, and so the shape it comes in."""

    REAL = "finite numbers of shape (N,) or (N, 1)"
    ZERO_ONE = "0 or 1, of shape (N,) or (N, 1)"
    ONE_HOT = "one-hot rows of shape (N, C)"
    INTEGER = "whole numbers 0 to C-1, of shape (N,) or (N, 1)"

    @property
    def by_node(self) -> bool:
        """Whether each output node has a target of its own."""
        return self in (Domain.REAL, Domain.ZERO_ONE)
