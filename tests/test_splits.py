"""MAE against MSE over random splits: the corrected interval, and what is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sweep_tables import MAE, MSE, split_seeds, tables

from nnloss.reproduction.splits import (
    COLUMNS,
    METRICS,
    compare_splits,
    conclusion,
    split_differences,
)


@pytest.fixture(scope="module")
def raw():
    return split_seeds(30)


def by_hand(raw, metric, batch_size=32):
    """Return the mean difference of each split, from the rows themselves."""
    rows = raw[raw["batch_size"].eq(batch_size)]
    wide = rows.pivot(index="seed", columns="loss", values=metric)
    steps = wide[MAE] - wide[MSE]
    return steps.groupby(steps.index // 2).mean()


def test_there_is_a_row_for_each_batch_size_and_metric(raw):
    table = compare_splits(raw, pd.DataFrame())
    assert list(table["edition"]) == ["2023"] * 4 + ["2024, 2024-pdf"] * 4
    assert list(table["metric"]) == [each.column for each in METRICS] * 2
    assert set(table["splits"]) == {30}
    assert set(table["seeds"]) == {2}
    assert table["course_difference"].isna().all()


def test_the_interval_is_the_corrected_one(raw):
    steps = by_hand(raw, f"val_{MAE}")
    row = compare_splits(raw, pd.DataFrame()).set_index("metric").loc[f"val_{MAE}"].iloc[0]
    error = np.sqrt((1 / 30 + 102 / 404) * steps.var(ddof=1))
    half = stats.t.ppf(0.975, 29) * error
    assert row["difference"] == pytest.approx(steps.mean())
    assert (row["low"], row["high"]) == pytest.approx((steps.mean() - half, steps.mean() + half))
    assert row["p"] == pytest.approx(2 * stats.t.cdf(-abs(steps.mean()) / error, 29))
    assert row["mae_better"] == (steps < 0).sum() == 30
    # On data of one distribution the usual interval is much narrower.
    assert half > 2.5 * stats.t.ppf(0.975, 29) * stats.sem(steps)


def test_the_differences_are_those_of_the_row(raw):
    table = compare_splits(raw, pd.DataFrame())
    for _, row in table.iterrows():
        if "root" not in row["metric"]:
            expected = by_hand(raw, row["metric"], row["batch_size"])
            assert split_differences(raw, row).to_numpy() == pytest.approx(expected.to_numpy())


def test_rmse_is_the_root_of_each_seed(raw):
    table = compare_splits(raw, pd.DataFrame()).set_index("metric")
    rows = raw[raw["batch_size"].eq(32) & raw["loss"].eq(MSE)]
    found = table.loc["val_root_mean_squared_error"].iloc[0]["mse"]
    by_split = np.sqrt(rows[f"val_{MSE}"]).groupby(rows["split"]).mean()
    assert found == pytest.approx(by_split.mean())


def test_the_course_split_is_put_among_the_random_ones(raw):
    seeds = tables(boston=10, wafer=0, cifar10=0).seeds
    table = compare_splits(raw, seeds, editions=[2023]).set_index("metric")
    rows = seeds[seeds["batch_size"].eq(32)].pivot(
        index="seed", columns="loss", values=f"val_{MSE}"
    )
    step = (rows[MAE] - rows[MSE]).mean()
    row = table.loc[f"val_{MSE}"]
    assert row["course_difference"] == pytest.approx(step)
    assert row["course_rank"] == (by_hand(raw, f"val_{MSE}") < step).sum()
    assert np.isnan(table.loc["val_median_absolute_error", "course_difference"])
    text = conclusion(table.reset_index())
    assert f"on the course's split {step:+.2f}" in text
    assert "In batches of 32" in text
    assert "In batches of 64" not in text


def test_a_seed_that_diverged_is_left_out(raw):
    bad = raw.assign(diverged=raw["seed"].eq(3) & raw["loss"].eq(MAE))
    bad.loc[bad["diverged"], f"val_{MSE}"] = np.inf
    row = compare_splits(bad, pd.DataFrame()).iloc[0]
    good = compare_splits(raw[raw["seed"].ne(3)], pd.DataFrame()).iloc[0]
    assert row["difference"] == good["difference"]
    assert row["splits"] == 30


def test_one_split_has_no_interval_and_none_no_row(raw):
    row = compare_splits(raw[raw["split"].eq(0)], pd.DataFrame()).iloc[0]
    assert row[["sd", "low", "high", "p"]].isna().all()
    assert list(compare_splits(pd.DataFrame(), pd.DataFrame()).columns) == COLUMNS
    assert compare_splits(pd.DataFrame(), pd.DataFrame()).empty
