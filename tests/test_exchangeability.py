"""Tests of one run of the course against ours: exact for any distribution."""

from __future__ import annotations

import numpy as np
import pytest

from nnloss.reproduction import exchangeability
from nnloss.reproduction.exchangeability import LEAST_SEEDS, distances, global_envelope, level


def curves(random, n, points=60):
    """Draw curves that fall, with a level and a noise of their own that depends on the last."""
    steps = random.normal(size=(n, points)) * 0.1
    noise = np.cumsum(steps, axis=1) + random.standard_t(3, size=(n, 1))
    return np.exp(-np.linspace(0, 3, points)) + 0.1 * noise


def matrices(random, n, classes=4, rows=100):
    """Draw confusion matrices whose shares differ between the runs."""
    shares = np.eye(classes) * 6 + 1
    drawn = random.gamma(5 * shares, size=(n, classes, classes))
    drawn /= drawn.sum(axis=2, keepdims=True)
    return random.multinomial(rows, drawn).astype(float)


def test_the_level_is_the_largest_share_up_to_5_percent():
    assert [level(n) for n in (0, 5, 18)] == [0, 0, 0]
    assert level(LEAST_SEEDS) == 1 / 20
    assert level(20) == 1 / 21
    assert level(39) == 2 / 40
    assert level(1000) == 50 / 1001


@pytest.mark.parametrize("n", [19, 40])
def test_a_run_like_ours_is_rejected_as_often_as_the_level_says(n):
    random = np.random.default_rng(n)
    rejected = {"curves": 0, "matrices": 0}
    for _ in range(1000):
        *ours, course = curves(random, n + 1)
        rejected["curves"] += global_envelope(np.array(ours), course).p <= level(n)
        away = distances(matrices(random, n + 1))
        rejected["matrices"] += exchangeability.p_value(away) <= level(n)
    for times in rejected.values():
        assert 30 <= times <= 70


def test_another_run_is_rejected():
    random = np.random.default_rng(0)
    ours = curves(random, 40)
    band = global_envelope(ours, ours.mean(axis=0) + 0.02 * np.arange(60))
    assert band.p <= level(40)
    assert band.outside.any()
    assert not band.outside[0]
    given = matrices(random, 41)
    given[-1] = given[-1][::-1]
    assert exchangeability.p_value(distances(given)) == 1 / 41


def test_a_run_leaves_the_envelope_if_and_only_if_it_is_rejected():
    random = np.random.default_rng(1)
    seen = set()
    for _ in range(300):
        *ours, course = curves(random, 21, points=10)
        band = global_envelope(np.array(ours), course)
        assert (band.p <= level(20)) == band.outside.any()
        assert (band.low <= band.high).all()
        seen.add(bool(band.outside.any()))
    assert seen == {True, False}


def test_the_most_extreme_run_is_the_one_with_the_smallest_ranks():
    #                 at one point above all; in the middle; below all twice
    runs = np.array([[9.0, 5.0, 5.0], [5.0, 5.1, 5.1], [4.0, 1.0, 1.0], [6.0, 6.0, 6.0]])
    ps = [global_envelope(np.delete(runs, each, axis=0), runs[each]).p for each in range(4)]
    assert ps == [0.75, 1.0, 0.25, 0.5]


def test_equal_runs_are_equally_extreme():
    band = global_envelope(np.zeros((20, 5)), np.zeros(5))
    assert band.p == 1
    assert not band.outside.any()
    assert exchangeability.p_value(distances(np.ones((21, 3, 3)))) == 1


def test_too_few_seeds_have_no_envelope():
    band = global_envelope(curves(np.random.default_rng(0), 5), np.full(60, 100.0))
    assert band.p <= 2 / 6
    assert np.isnan(band.low).all()
    assert np.isnan(band.high).all()
    assert not band.outside.any()


def test_a_distance_is_that_from_the_mean_of_the_others():
    given = matrices(np.random.default_rng(3), 6)
    given[:, 0, 1] = 7.0  # a cell that never varies
    spread = given.std(axis=0, ddof=1)
    for each, found in enumerate(distances(given)):
        away = given[each] - np.delete(given, each, axis=0).mean(axis=0)
        units = away[spread > 0] / spread[spread > 0]
        assert found == pytest.approx(np.sqrt(np.sum(units**2)))
