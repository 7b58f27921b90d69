"""Claims: what holds, what does not, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from nnloss.theory.claims import same


@pytest.mark.parametrize(
    ("left", "right", "relative", "difference", "holds"),
    [
        (1.0, 1.0, False, 0.0, True),
        (100.0, 100.5, False, 0.5, False),
        (100.0, 100.5, True, 0.5 / 100.5, True),
        ([1.0, -3.0], [1.0, -2.9], False, 0.1, False),
        (float("nan"), 1.0, False, float("nan"), False),
        (0.0, 0.0, True, 0.0, True),
    ],
)
def test_the_difference_is_the_largest_and_decides(left, right, relative, difference, holds):
    claim = same("topic", "claim", left, right, 0.01, relative=relative)
    np.testing.assert_allclose(claim.difference, difference, rtol=1e-9)
    assert claim.holds is holds


def test_of_arrays_the_largest_number_on_the_left_is_shown_with_its_partner():
    claim = same("topic", "claim", [1.0, -3.0, 2.0], [7.0, -3.5, 9.0], 1.0)
    assert (claim.left, claim.right) == (-3.0, -3.5)


@pytest.mark.parametrize(("left", "right"), [([1.0, 1.0], 1.0), ([], [])])
def test_sides_of_different_shape_are_not_broadcast(left, right):
    with pytest.raises(ValueError, match="need the same shape; found"):
        same("topic", "claim", left, right, 1.0)
