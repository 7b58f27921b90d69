"""Claims: what holds, what does not, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from nnloss.theory.claims import claim_table, records, same, verdict


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


CLAIMS = [
    same("topic", "large, far from its limit", 1.0, 1.001, 1.0),
    same("topic", "small, near its limit", -1.23456789, -1.23456789 - 5e-7, 1e-6),
]


def test_the_verdict_names_the_difference_that_is_largest_for_its_tolerance():
    assert verdict(CLAIMS) == "2 of 2 claims hold (difference 5e-07, allowed 1e-06)"


@pytest.mark.parametrize(("right", "shown"), [(2.0, "1"), (float("nan"), "nan")])
def test_the_verdict_names_a_claim_that_does_not_hold(right, shown):
    wrong = same("topic", "one is another", 1.0, right, 0.1)
    expected = f"2 of 3 claims hold (difference {shown}, allowed 1e-01)"
    assert verdict([wrong, *CLAIMS]) == verdict([*CLAIMS, wrong]) == expected


def test_the_table_has_both_numbers_and_says_what_does_not_hold():
    table = claim_table([CLAIMS[1], same("topic", "one is two", 1.0, 2.0, 0.1)])
    assert table.to_numpy().tolist() == [
        ["small, near its limit", "-1.2346", "-1.2346", "5e-07", "1e-06", "yes"],
        ["one is two", "1", "2", "1", "1e-01", "NO"],
    ]


def test_a_record_of_claims_says_what_holds():
    first, _ = records(CLAIMS)
    assert list(first) == [
        "topic", "claim", "left", "right", "difference", "tolerance", "relative", "holds",
    ]  # fmt: skip
    assert (first["claim"], first["right"], first["holds"]) == (
        "large, far from its limit", 1.001, True,
    )  # fmt: skip
