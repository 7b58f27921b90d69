"""``python -m exercises.reproduce`` as it is typed; on a cluster: test_cluster.py."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from nnloss.reproduction import command as reproduce

Typed = Callable[..., subprocess.CompletedProcess[str]]
QUICK = ["--exercise", "boston", "--edition", "2023", "--quick"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "exercises.reproduce", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Folder and outputs of a quick sweep of three seeds, and of one of five that goes on."""
    out = tmp_path_factory.mktemp("reproduce") / "runs"
    texts = []
    for seeds in ("3", "5"):
        done = run(*QUICK, "--seeds", seeds, "--jobs", "1", "--out", str(out))
        assert (done.returncode, done.stderr) == (0, "")
        texts.append(done.stdout)
    return out, texts[0], texts[1]


@pytest.mark.slow
def test_it_prints_the_verdicts(swept: tuple[Path, str, str]) -> None:
    _, text, _ = swept

    linear = next(line for line in text.splitlines() if "linear regression: test MSE" in line)
    assert linear.count("23.1956") == 2
    assert "reproduced" in linear
    assert "Quick networks are not the course's: their numbers are not judged." in text
    assert text.count("Quick run: 5 of 100 epochs of boston; its numbers mean little.\n") == 2


@pytest.mark.slow
def test_it_goes_on_with_more_seeds_and_keeps_the_old_runs(swept: tuple[Path, str, str]) -> None:
    out, _, _ = swept
    homes = sorted((out / "sweep" / "boston").iterdir())

    assert [home.name for home in homes] == [
        "classical-quick",
        "mean_absolute_error-batch-32-epochs-5-quick",
        "mean_squared_error-batch-32-epochs-5-quick",
    ]
    for home in homes[1:]:
        assert sorted(unit.name for unit in home.iterdir()) == ["seeds-0-2", "seeds-3-4"]
        assert sorted(file.name for file in (home / "seeds-0-2").iterdir()) == [
            "SHA256SUMS", "curves.csv.gz", "run.json", "seeds.csv",
        ]  # fmt: skip


@pytest.mark.slow
def test_random_splits_are_run_kept_and_compared(tmp_path: Path) -> None:
    arguments = [*QUICK, "--seeds", "2", "--splits", "2", "--jobs", "1", "--out", str(tmp_path)]
    first, second = run(*arguments), run(*arguments)

    assert [(done.returncode, done.stderr) for done in (first, second)] == [(0, ""), (0, "")]
    homes = sorted((tmp_path / "sweep" / "boston").glob("*-splits-quick"))
    assert [[unit.name for unit in home.iterdir()] for home in homes] == [["seeds-0-19"]] * 2
    assert pd.read_csv(tmp_path / "sweep" / "seeds.csv")["seed"].tolist() == [0, 1] * 2
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "44 quick trainings, not judged." in page
    assert "random splits" in page


@pytest.mark.slow
def test_it_leaves_tables_and_a_report(swept: tuple[Path, str, str]) -> None:
    out, _, text = swept
    seeds = pd.read_csv(out / "sweep" / "seeds.csv")
    verdicts = pd.read_csv(out / "sweep" / "verdicts.csv")

    assert seeds.groupby("loss")["seed"].apply(list).tolist() == [[0, 1, 2, 3, 4]] * 2
    assert verdicts["verdict"].tolist() == ["reproduced", "reproduced", "undecided", "undecided"]
    assert (out / "sweep" / "comparisons.csv").exists()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "linear regression: test MAE" in page
    assert f"To open first:\n    {out / 'report.html'}\n" in text


@pytest.mark.slow
def test_nothing_is_left_under_way(swept: tuple[Path, str, str]) -> None:
    out, _, _ = swept

    assert list((out / "sweep" / "under-way").iterdir()) == []
    assert not (out / "sweep.holder").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "0"], "it must be a whole number from 1 to 1000000; found '0'"),
        (["--seeds", "many"], "it must be a whole number from 1 to 1000000; found 'many'"),
        (["--splits", "0"], "it must be a whole number from 2 to 10000; found '0'"),
        (
            ["--splits", "3", "--exercise", "wafer"],
            "found --splits 3 and --exercise wafer. Leave out --splits",
        ),
        (["--jobs", "0"], "it must be a whole number from 1 to 1024; found '0'"),
        (["--edition", "2025"], "'2025' is not one of"),
        (["--exercise", "chess"], "'chess' is not one of"),
        (["--data-dir", "nowhere", "--exercise", "boston"], "found no such folder"),
        (["--out", "pyproject.toml"], "'pyproject.toml' is a file"),
        (["--out", ""], "it must be the name of a folder"),
        (["--scheduler", "foo"], "it is not an address such as tcp://127.0.0.1:8786"),
        (["surplus"], "unexpected extra argument"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    tmp_path: Path, typed: Typed, arguments: list[str], message: str
) -> None:
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "runs")]
    done = typed(reproduce.main, *arguments, *out)

    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_version_is_refused_and_left_alone(
    tmp_path: Path, typed: Typed
) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "sweep.json").write_text('{"format": 7}')

    done = typed(reproduce.main, *QUICK, "--out", tmp_path)

    assert done.returncode == 2
    assert (
        "must be a sweep in format 1, or new; found format 7. Choose another --out" in done.stderr
    )
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "sweep" / "sweep.json").read_text() == '{"format": 7}'


def test_lines_of_a_verdict() -> None:
    row = {"quantity": "q", "published": 21.91999, "verdict": "typical"}
    random = {"mean": 21.5, "low": 19.0, "high": 24.123456, "n": 1000}

    line = reproduce.verdict(pd.Series(row | random | {"certain": False}))

    assert list(line.values()) == [
        "q", "21.91999", "21.5", "19 to 24.12", "typical ?",
    ]  # fmt: skip
    fixed = {"ours": 21.919994, "n": 0, "certain": True, "low": math.nan, "high": math.nan}
    assert list(reproduce.verdict(pd.Series(row | fixed)).values()) == [
        "q", "21.91999", "21.91999", "", "typical",
    ]  # fmt: skip


def test_lines_of_a_comparison() -> None:
    row = {
        "exercise": "boston", "edition": "2023", "question": "MAE instead of MSE", "title": "MAE",
        "n": 5, "difference": -0.2, "low": -0.3, "high": -0.1, "wilcoxon_p": 0.0625,
        "first": "MSE", "second": "MAE", "share": 0.8,
    }  # fmt: skip

    line = reproduce.comparison(pd.Series(row | {"better": "second"}))

    assert list(line.values()) == [
        "MAE", "5", "-0.2", "-0.3 to -0.1", "0.062", "80%", "MAE",
    ]  # fmt: skip
    assert reproduce.comparison(pd.Series(row | {"better": "neither"}))["better"] == "neither"
    alone = dict.fromkeys(("low", "high", "wilcoxon_p"), math.nan)  # a single seed
    line = reproduce.comparison(pd.Series(row | alone | {"better": "neither"}))
    assert (line["95 % interval"], line["p"]) == ("", "")
