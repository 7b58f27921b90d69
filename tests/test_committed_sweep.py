"""The sweep that ships: whole, as large as it claims, and the verdicts in `docs/` are its own."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from conftest import ROOT

from nnloss import RunRecord
from nnloss.course import published
from nnloss.report import page
from nnloss.reproduction import comparisons, verdicts
from nnloss.reproduction.command import TITLE
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.results import Results

HOME = ROOT / "results" / "sweep"


@pytest.fixture(scope="module")
def sweep() -> SweepFolder:
    """Read the folder without a lock: nothing writes there."""
    folder = SweepFolder(ROOT / "results")
    folder.read_only()
    return folder


@pytest.fixture(scope="module")
def seeds(sweep: SweepFolder) -> pd.DataFrame:
    return sweep.table("seeds", quick=False)


@pytest.fixture(scope="module")
def records(sweep: SweepFolder) -> list[RunRecord]:
    return sweep.records(quick=False)


def test_each_configuration_has_its_seeds(seeds: pd.DataFrame) -> None:
    by = ["exercise", "loss", "augment", "batch_size", "epochs"]
    found = {key: list(rows["seed"]) for key, rows in seeds.fillna({"augment": "-"}).groupby(by)}
    least = {"boston": 1000, "wafer": 100, "cifar10": 20}

    assert len(found) == 4 + 2 + 3
    for (exercise, *_), numbers in found.items():
        assert sorted(numbers) == list(range(len(numbers)))
        assert len(numbers) >= least[exercise]


def test_the_runs_are_of_clean_commits_and_full(records: list[RunRecord]) -> None:
    for record in records:
        assert record.status == "finished"
        assert re.fullmatch("[0-9a-f]{40}", record.git_commit or "")
        assert record.command.startswith("python -m exercises.reproduce")
        if record.loss:
            settings = (
                published.settings_of(record.exercise, 2024, augment=bool(record.augment)),
                published.settings_of(record.exercise, 2023, augment=bool(record.augment)),
            )
            assert (record.epochs, record.batch_size) in [
                (each.epochs, each.batch_size) for each in settings
            ]
            assert record.epochs_trained == record.epochs


def test_the_tables_are_those_of_the_runs(seeds: pd.DataFrame, records: list[RunRecord]) -> None:
    written = pd.read_csv(HOME / "seeds.csv")
    assert len(written) == len(seeds)
    pd.testing.assert_series_equal(written["val_loss"], seeds["val_loss"], rtol=1e-12)
    classical = {each.exercise: each.baseline for each in records if each.baseline}
    judged = verdicts.verdicts(seeds, classical)
    table = pd.read_csv(HOME / "verdicts.csv")
    assert table["verdict"].tolist() == judged["verdict"].tolist()
    assert table["published"].tolist() == [each.value for each in published.PUBLISHED]
    for name in ("ours", "mean", "sd", "low", "high", "percentile", "p_holm"):
        pd.testing.assert_series_equal(
            table[name], judged[name], check_dtype=False, rtol=1e-9, atol=1e-12
        )
    compared = comparisons.compare(seeds)
    told = pd.read_csv(HOME / "comparisons.csv")
    assert told["better"].tolist() == compared["better"].tolist()
    pd.testing.assert_series_equal(told["difference"], compared["difference"], rtol=1e-9)


@pytest.fixture(scope="module")
def results(sweep: SweepFolder) -> Results:
    return Results.read(sweep, published.EDITIONS, quick=False)


def test_logs_matrices_and_splits_are_those_of_the_runs(results: Results) -> None:
    assert (len(results.logs), len(results.matrices)) == (8, 6)
    assert set(results.logs["points"]) == {400, 80}
    assert set(results.split_comparisons["splits"]) == {100}
    assert set(results.split_comparisons["seeds"]) == {10}
    for name in ("logs", "matrices", "split_comparisons"):
        table, found = pd.read_csv(HOME / f"{name}.csv"), getattr(results, name)
        for column in ("verdict", "p", "difference", "low", "mae_better", "course_rank"):
            if column in found:
                pd.testing.assert_series_equal(
                    table[column], found[column], check_dtype=False, rtol=1e-9
                )


@pytest.mark.slow
def test_the_committed_report_is_the_one_that_the_code_makes(results: Results) -> None:
    committed = (ROOT / "results" / "report.html").read_text(encoding="utf-8")
    same = page(results, title=TITLE) == committed  # a difference of pages takes minutes to print
    assert same, "run: uv run python -m exercises.reproduce --splits 100 --out results"


def test_the_page_of_results_has_each_verdict() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    table = pd.read_csv(HOME / "verdicts.csv")

    assert len(table) == 33
    for row in table.itertuples():
        (line,) = re.findall(rf"^\| {row.exercise} {row.edition}, {row.quantity} \|.*", page, re.M)
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert float(cells[1]) == row.published
        assert cells[-1].removesuffix(" (?)") == row.verdict
        assert cells[-1].endswith("(?)") != row.certain
