"""The comparison of our fit with Keras': what is run, what is counted, and that a fit is one."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from scipy import stats

from benchmarks import arrays, as_keras
from benchmarks.as_keras import ALL, FAITHFUL, OURS, SEEDED, UNSEEDED, faithfulness, orders
from nnloss import DataError

RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture
def fits():
    """Make fits of both ways: equal means, and a spread of Keras that is twice ours."""
    rng = np.random.default_rng(0)
    parts = []
    for exercise, epochs, batch_size in FAITHFUL:
        for by, spread in ((OURS, 1.0), (UNSEEDED, 2.0)):
            known = {"exercise": exercise, "epochs": epochs, "batch_size": batch_size, "by": by}
            values = {name: rng.normal(20, spread, 80) for name in ("loss", "val_loss")}
            parts.append(pd.DataFrame({**known, "seed": range(80), **values}))
    return pd.concat(parts)


def test_means_spreads_and_distributions_are_compared(fits):
    table = faithfulness(fits).set_index("exercise")
    assert list(table.index) == ["boston", "cifar10"]
    part = fits[fits["exercise"].eq("cifar10")]
    ours, keras = (part[part["by"].eq(by)]["loss"] for by in (OURS, UNSEEDED))
    row = table.loc["cifar10"]
    assert (row["mean"], row["sd_keras"]) == (ours.mean(), keras.std())
    # Welch by hand; Brown-Forsythe as the analysis of variance of distances from medians.
    t = (ours.mean() - keras.mean()) / np.sqrt(ours.var() / 80 + keras.var() / 80)
    assert row["welch_p"] == pytest.approx(2 * stats.norm.sf(abs(t)), abs=0.01)
    away = [(each - each.median()).abs() for each in (ours, keras)]
    assert row["brown_forsythe_p"] == pytest.approx(stats.f_oneway(*away).pvalue)
    assert row["brown_forsythe_p"] < 0.001 < row["welch_p"]


def test_one_order_is_compared_with_new_ones_seed_by_seed():
    seeds = np.arange(6)
    known = {"exercise": "boston", "epochs": 100, "batch_size": 32}
    ours = pd.DataFrame(
        {**known, "loss": "mean_squared_error", "augment": None, "seed": seeds,
         "train_loss": 7.0 + seeds, "val_loss": 20.0 + seeds, "val_accuracy": np.nan}
    )  # fmt: skip
    other = ours.assign(loss="mean_absolute_error", val_loss=0.0)
    steps = np.array([1.0, 2, 3, 4])
    keras = pd.DataFrame(
        {**known, "by": SEEDED, "seed": seeds[:4], "loss": 7.0 + seeds[:4],
         "val_loss": 20 + seeds[:4] + steps, "val_accuracy": np.nan}
    )  # fmt: skip
    table = orders(keras, pd.concat([ours, other])).set_index("quantity")
    assert list(table.index) == ["loss", "val_loss"]
    row = table.loc["val_loss"]
    assert (row["n"], row["difference"]) == (4, 2.5)
    half = stats.t.ppf(0.975, 3) * stats.sem(steps)
    assert (row["low"], row["high"]) == pytest.approx((2.5 - half, 2.5 + half))


@pytest.mark.parametrize("by", [OURS, SEEDED])
def test_a_fit_by_either_way_starts_from_the_same_weights(tmp_path, by):
    """One step on all rows at once: order does not matter, and values are equal."""
    path = tmp_path / "boston.npz"
    rows = arrays.save("boston", None, path)
    one = as_keras.Fits("boston", 1, rows, by, 2)
    found = [row["loss"] for row in as_keras.run(one, path, 0)]
    script = (
        "import sys, json, numpy as np; from nnloss import *; from nnloss.course import boston\n"
        "a = np.load(sys.argv[1]); found = []\n"
        "for seed in range(2):\n"
        "    set_seed(seed); model = compile_for_task(boston.network(), REGRESSION)\n"
        "    given = a['x_train'], a['y_train']\n"
        "    found.append(model.evaluate(*given, verbose=0, return_dict=True)['loss'])\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert found == pytest.approx(json.loads(done.stdout), rel=1e-5)


def test_a_fit_that_fails_is_an_error_with_its_text(tmp_path):
    with pytest.raises(RuntimeError, match="No such file"):
        list(as_keras.run(ALL[0], tmp_path / "none.npz", 0))


@pytest.mark.parametrize("content", [b"", b"seed,loss\n0,1\n", b"\xff\xfe"])
def test_another_table_is_refused_and_kept(tmp_path, content):
    (tmp_path / "fits.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"fits\.csv' must be a table of fits"):
        as_keras.main(data_dir=ROOT, out=tmp_path)
    assert (tmp_path / "fits.csv").read_bytes() == content


def test_the_committed_comparison_is_whole():
    fits = pd.read_csv(RESULTS / "fits.csv")
    for wanted in ALL:
        rows = fits[
            (fits[as_keras.KEYS] == [getattr(wanted, key) for key in as_keras.KEYS]).all(axis=1)
        ]
        assert len(rows) >= wanted.number, wanted
    seeds = pd.read_csv(ROOT / "results" / "sweep" / "seeds.csv")
    for name, table in {"faithfulness": faithfulness(fits), "orders": orders(fits, seeds)}.items():
        pd.testing.assert_frame_equal(
            pd.read_csv(RESULTS / f"{name}.csv"), table, check_dtype=False, rtol=1e-4
        )


def test_the_wider_spread_of_the_first_fits_was_not_found_again():
    """The page on the order of rows says so in numbers."""
    fits = pd.read_csv(RESULTS / "fits.csv")
    first = faithfulness(fits[fits["seed"].lt(30)]).set_index("exercise").loc["cifar10"]
    again = faithfulness(fits[fits["seed"].ge(30)]).set_index("exercise").loc["cifar10"]
    text = " ".join((ROOT / "docs" / "order-of-rows.md").read_text(encoding="utf-8").split())
    for row, digits in ((first, 3), (again, 4)):
        spreads = f"{row['sd_keras']:.{digits}f} against {row['sd']:.{digits}f}"
        p = f"p = {row['brown_forsythe_p']:.2g}"
        assert f"{spreads}, {p}" in text
    assert first["n"] == again["n"] == 30
