"""Where a single new run lies, and how far out one is: by hand, by simulation, by properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from nnloss.reproduction.prediction import ORDER, STUDENT, interval, p_value, percentile

# Whole numbers make ties, and no rounding.
samples = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=130).map(np.array)


@pytest.mark.parametrize(
    ("n", "one_in", "r"),
    [(39, 20, 1), (78, 20, 1), (79, 20, 2), (1000, 20, 25), (1999, 1000, 1), (3999, 1000, 2)],
)
def test_the_interval_goes_from_the_rth_smallest_to_the_rth_largest(n, one_in, r):
    found = interval(np.random.default_rng(0).permutation(np.arange(1.0, n + 1)), one_in)
    assert (found.low, found.high, found.method) == (r, n + 1 - r, ORDER)
    assert (n + 1 - 2 * r) / (n + 1) >= 1 - 1 / one_in > (n + 1 - 2 * (r + 1)) / (n + 1)


def test_with_fewer_it_is_students():
    found = interval(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 * 1 * math.sqrt(4 / 3)  # the table's t for 2 degrees of freedom
    assert found.method == STUDENT
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half), rel=1e-6)
    wide = interval(np.array([1.0, 2.0, 3.0]), 1000)
    assert wide.high == pytest.approx(2 + 31.599055 * math.sqrt(4 / 3), rel=1e-6)
    assert interval(np.arange(38.0)).method == STUDENT
    assert interval(np.arange(1998.0), 1000).method == STUDENT


@pytest.mark.parametrize("values", [[], [1.0], [0.1, 0.1, 0.1]])
def test_without_spread_there_is_none(values):
    found = interval(np.array(values))
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert 0.1 not in found
    assert math.isnan(p_value(np.array(values), 0.1))


def test_many_that_agree_are_an_interval():
    values = np.full(39, 0.1)
    assert 0.1 in interval(values)
    assert 0.2 not in interval(values)
    assert p_value(values, 0.1) == 1
    assert p_value(values, 0.2) == 0.05


@pytest.mark.parametrize(
    ("draw", "share", "n", "one_in", "due"),
    [
        ("standard_normal", stats.norm.cdf, 5, 20, 0.95),
        ("standard_normal", stats.norm.cdf, 30, 20, 0.95),
        ("standard_normal", stats.norm.cdf, 30, 1000, 0.999),
        ("standard_normal", stats.norm.cdf, 1000, 20, 951 / 1001),
        ("standard_exponential", stats.expon.cdf, 1000, 20, 951 / 1001),
        ("standard_exponential", stats.expon.cdf, 39, 20, 0.95),
        ("standard_exponential", stats.expon.cdf, 1999, 1000, 0.999),
    ],
)
def test_it_covers_a_new_run_as_often_as_it_says(draw, share, n, one_in, due):
    rng = np.random.default_rng(n)
    found = [interval(getattr(rng, draw)(n), one_in) for _ in range(400)]
    shares = [share(each.high) - share(each.low) for each in found]
    error = np.std(shares) / math.sqrt(len(shares))
    assert np.mean(shares) == pytest.approx(due, abs=4 * error)
    assert 4 * error < 0.2 * (1 - due) + 0.015  # close enough to tell another level


def test_students_interval_is_not_exact_for_a_skewed_distribution():
    rng = np.random.default_rng(0)
    for n in (5, 30):
        found = [interval(rng.standard_exponential(n)) for _ in range(400)]
        covered = np.mean(
            [stats.expon.cdf(each.high) - stats.expon.cdf(each.low) for each in found]
        )
        assert 0.9 < covered < 0.98
    misses = [1 - stats.expon.cdf(each.high) for each in found]
    assert np.mean(misses) > 0.04  # all on the long side


@pytest.mark.parametrize("n", [5, 30, 39, 200])
def test_a_run_like_the_others_has_a_small_p_as_often_as_it_should(n):
    rng = np.random.default_rng(n)
    p = np.array([p_value(rng.normal(size=n), rng.normal()) for _ in range(2000)])
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.04)


def test_p_by_ranks_by_hand():
    values = np.arange(1.0, 40.0)  # 39 runs
    assert p_value(values, 0) == 2 * 1 / 40
    assert p_value(values, 40) == 2 * 1 / 40
    assert p_value(values, 1) == 2 * 2 / 40
    assert p_value(values, 37.5) == 2 * 3 / 40
    assert p_value(values, 20) == 1


def test_p_by_student_by_hand():
    assert p_value(np.array([1.0, 2.0, 3.0]), 2) == 1
    away = 4.302653 * math.sqrt(4 / 3)
    assert p_value(np.array([1.0, 2.0, 3.0]), 2 + away) == pytest.approx(0.05, rel=1e-6)
    assert p_value(np.array([1.0, 2.0, 3.0]), 2 - away) == pytest.approx(0.05, rel=1e-6)


@given(samples, st.integers(-60, 60))
def test_p_is_small_outside_the_interval_and_nowhere_else(values, value):
    p = p_value(values, value)
    assume(not math.isnan(p))
    assert 0 <= p <= 1
    # By ranks 0.05 itself is met exactly; by t only up to rounding.
    assume(len(values) >= 39 or abs(p - 0.05) > 1e-9)
    assert (p <= 0.05) == (value not in interval(values))


@given(samples, st.integers(-60, 60), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(values, value, random):
    mixed = values.copy()
    random.shuffle(mixed)
    for function in (p_value, percentile):
        np.testing.assert_allclose(
            np.array(_numbers(function(mixed, value))), _numbers(function(values, value))
        )
    one, other = interval(mixed), interval(values)
    np.testing.assert_allclose([one.low, one.high], [other.low, other.high])


@given(samples, st.integers(-60, 60), st.integers(-9, 9), st.sampled_from([0.25, 1.0, 8.0, -2.0]))
def test_the_scale_does_not_matter(values, value, shift, factor):
    moved, there = factor * values + shift, factor * value + shift
    # Far out p by t is as exact as the distance in standard deviations is.
    np.testing.assert_allclose(p_value(moved, there), p_value(values, value), rtol=1e-6)
    old, new = interval(values), interval(moved)
    ends = sorted([factor * old.low + shift, factor * old.high + shift])
    np.testing.assert_allclose([new.low, new.high], ends, atol=1e-9)
    if factor > 0:
        assert percentile(moved, there) == percentile(values, value)


@pytest.mark.parametrize(
    ("values", "value", "share", "low", "high"),
    [
        ([1, 2, 3, 4, 5], 0, 0, 0, 52.182),  # 1 - 0.025^(1/5)
        ([1, 2, 3, 4, 5], 9, 100, 47.818, 100),
        ([1, 2, 3, 4, 5], 2.5, 40, 5.274, 85.337),
        ([1, 2, 3, 4, 5], 3, 50, 5.274, 94.726),  # 2 below, 3 below or equal
        ([7], 7, 50, 0, 100),
        ([7], 8, 100, 2.5, 100),
    ],
)
def test_the_percentile_and_its_limits(values, value, share, low, high):
    found = percentile(np.array(values, dtype=float), value)
    assert found.value == share
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)


def test_a_percentile_takes_a_sample():
    found = percentile(np.empty(0), 1.0)
    assert np.isnan(_numbers(found)).all()
    assert not found.inside
    assert not found.outside


@pytest.mark.parametrize(
    ("n", "below", "inside", "outside"),
    [
        (5, 0, False, False),
        (5, 1, False, False),
        (5, 2, True, False),
        (5, 4, False, False),
        (145, 0, False, False),
        (145, 145, False, False),
        (146, 0, False, True),
        (146, 146, False, True),
        (1000, 25, False, False),
        (1000, 500, True, False),
        (1000, 980, False, False),
        (1000, 990, False, True),
        (1000, 10, False, True),
    ],
)
def test_what_a_sample_of_this_size_settles(n, below, inside, outside):
    found = percentile(np.arange(n, dtype=float), below - 0.5)
    assert (found.inside, found.outside) == (inside, outside)


def _numbers(found):
    return [found] if isinstance(found, float) else [found.value, found.low, found.high]
