"""The folder of a sweep: whole units or none, verified, of one version, for one sweep at a time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnloss import DataError, FolderError, RunRecord
from nnloss.course.cifar10 import AUGMENTATION
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.units import Configuration, Outcome, Unit
from nnloss.runs import provenance

BOSTON = Configuration("boston", "mean_squared_error", None, 3, 32)
PLAIN = Configuration("cifar10", "categorical_crossentropy", False, 2, 64)
AUGMENTED = replace(PLAIN, augment=True)


def outcome(unit: Unit, **changes: object) -> Outcome:
    """Invent what a unit gave."""
    wanted, seeds = unit.configuration, list(unit.seeds)
    record = RunRecord(
        id=unit.name,
        exercise=wanted.exercise,
        status="finished",
        seeds=seeds,
        quick=wanted.quick,
        loss=wanted.loss,
        augment=wanted.augment,
        augmentation=AUGMENTATION if wanted.augment else {},
        epochs=wanted.epochs,
        batch_size=wanted.batch_size,
        versions=provenance.versions(),
    )
    values = pd.DataFrame(
        {"seed": seeds, "diverged": False, "val_loss": [seed + 1 / 3 for seed in seeds]}
    )
    curves = pd.DataFrame({"seed": seeds, "epoch": 1, "val_loss": [s + 1 / 3 for s in seeds]})
    tables = {"seeds": values, "curves": curves} if seeds else {}
    return Outcome(replace(record, **changes), tables)  # type: ignore[arg-type]


def keep(out: Path, *units: Unit) -> None:
    with SweepFolder(out).opened() as folder:
        for unit in units:
            folder.keep(unit, outcome(unit))


def test_what_was_kept_is_there_in_the_next_process(tmp_path: Path) -> None:
    units = [Unit(BOSTON, (0, 1)), Unit(BOSTON, (2,)), Unit(AUGMENTED, (0,)), Unit(PLAIN, (0,))]
    keep(tmp_path, *units)

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == units[:2]
        assert folder.done(AUGMENTED) == [units[2]]
        seeds = folder.table("seeds", quick=False)
        curves = folder.table("curves", quick=False)
        assert [record.id for record in folder.records(quick=False)] == list(
            dict.fromkeys(f"{row.folder[6:]}".replace("/", "_") for row in seeds.itertuples())
        )
        assert folder.records(quick=True) == []

    boston = seeds[seeds["exercise"] == "boston"]
    assert boston["seed"].tolist() == [0, 1, 2]
    assert boston["val_loss"].tolist() == [1 / 3, 4 / 3, 7 / 3]  # to the last bit
    assert boston["augment"].isna().all()
    assert boston["batch_size"].tolist() == [32, 32, 32]
    assert boston["folder"].iloc[0] == (
        "sweep/boston/mean_squared_error-batch-32-epochs-3/seeds-0-1"
    )
    assert (tmp_path / boston["folder"].iloc[0] / "run.json").exists()
    cifar = seeds[seeds["exercise"] == "cifar10"]
    assert sorted(cifar["augment"].tolist()) == [False, True]
    np.testing.assert_allclose(curves["val_loss"], [1 / 3, 4 / 3, 7 / 3, 1 / 3, 1 / 3], rtol=1e-3)


def test_sums_can_be_checked_with_sha256sum(tmp_path: Path) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)

    answer = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=tmp_path / "sweep" / unit.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == ["curves.csv.gz: OK", "run.json: OK", "seeds.csv: OK"]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("run.json", _flip),
        ("seeds.csv", _flip),
        ("curves.csv.gz", _flip),
        ("SHA256SUMS", _flip),
        ("run.json", lambda path: path.write_text("")),
        ("seeds.csv", lambda path: path.write_bytes(path.read_bytes()[:-3])),
        ("seeds.csv", Path.unlink),
        ("run.json", Path.unlink),
        ("SHA256SUMS", Path.unlink),
        ("SHA256SUMS", lambda path: path.write_bytes(b"\xff\xfe")),
        ("SHA256SUMS", lambda path: path.write_text("")),
        ("extra.csv", lambda path: path.write_text("seed\n0\n")),
    ],
)
def test_a_damaged_unit_is_set_aside_and_its_seeds_are_missing(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    damage: Callable[[Path], object],
) -> None:
    whole, damaged = Unit(BOSTON, (0, 1)), Unit(BOSTON, (2, 3))
    keep(tmp_path, whole, damaged)
    place = tmp_path / "sweep" / damaged.folder
    damage(place / name)

    with (
        caplog.at_level(logging.WARNING, "nnloss"),
        SweepFolder(tmp_path).opened() as folder,
    ):
        assert folder.done(BOSTON) == [whole]
        assert folder.table("seeds", quick=False)["seed"].tolist() == [0, 1]
        folder.keep(damaged, outcome(damaged))

    assert f"The run in '{damaged.folder}' must be as it was written" in caplog.text
    assert "It will be run again" in caplog.text
    aside = list(place.parent.glob("seeds-2-3.aside-*"))
    assert len(aside) == 1
    keep(tmp_path)
    assert list(place.parent.glob("*.aside-*")) == aside  # and not looked at again


def test_a_unit_in_the_folder_of_another_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)
    place = tmp_path / "sweep" / unit.folder
    place.rename(place.with_name("seeds-4-5"))

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == []

    assert f"it is the run of '{unit.folder}'" in caplog.text


def test_no_seed_is_counted_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(tmp_path / "a", Unit(BOSTON, (0, 1)))
    keep(tmp_path / "b", Unit(BOSTON, (1, 2)))
    place = tmp_path / "b" / "sweep" / Unit(BOSTON, (1, 2)).folder
    place.rename(tmp_path / "a" / "sweep" / Unit(BOSTON, (1, 2)).folder)

    with SweepFolder(tmp_path / "a").opened() as folder:
        assert folder.table("seeds", quick=False)["seed"].tolist() == [0, 1]
        with pytest.raises(DataError, match="seed 1 is in another one too"):
            folder.keep(Unit(BOSTON, (1,)), outcome(Unit(BOSTON, (1,))))

    assert "seed 1 is in another one too" in caplog.text


def test_a_unit_that_was_being_written_leaves_nothing(tmp_path: Path) -> None:
    keep(tmp_path)
    half = tmp_path / "sweep" / "under-way" / "boston_x_seeds-0-1.abcd.unfinished"
    half.mkdir()
    (half / "run.json").write_text("{")

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.records(quick=False) == []

    assert not half.exists()


def test_a_unit_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = Unit(BOSTON, (0, 1))

    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with SweepFolder(tmp_path).opened() as folder:
        monkeypatch.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(FolderError, match="No space left on device"):
            folder.keep(unit, outcome(unit))
        assert folder.done(BOSTON) == []
        assert list(folder.under_way.iterdir()) == []
        assert not (folder.home / unit.folder).exists()


def test_backup_and_marks_of_a_unit_go_when_it_is_kept(tmp_path: Path) -> None:
    unit, other = Unit(PLAIN, (0,)), Unit(PLAIN, (1,))
    with SweepFolder(tmp_path).opened() as folder:
        for each in (unit, other):
            for ending in ("backup", "share", "lock"):
                (folder.under_way / f"{each.name}.{ending}").write_text("")
        folder.keep(unit, outcome(unit))

        assert {path.name for path in folder.under_way.iterdir()} == {
            f"{other.name}.{ending}" for ending in ("backup", "share", "lock")
        }


@pytest.mark.parametrize("name", ["python", "tensorflow", "keras", "numpy"])
def test_versions_are_not_mixed(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    here = provenance.versions()
    monkeypatch.setattr(provenance, "versions", lambda: here | {name: "0.0.1"})

    with (
        pytest.raises(FolderError, match="must go on with the versions") as caught,
        SweepFolder(tmp_path).opened(),
    ):
        pass

    assert f"made with {name} {here[name]}, here is 0.0.1" in str(caught.value)
    assert "--fresh" in caught.value.remedy
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_augmentations_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, Unit(PLAIN, (0,)), Unit(AUGMENTED, (0,)))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setitem(AUGMENTATION, "rotation", 20.0)

    with (
        pytest.raises(FolderError, match="must go on with the augmentation") as caught,
        SweepFolder(tmp_path).opened(),
    ):
        pass

    assert "augmented_seed-0' was augmented by {'rotation': 10.0, 'shift'" in caught.value.found
    assert "here it is {'rotation': 20.0" in caught.value.found
    assert "--fresh" in caught.value.remedy
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    other = SweepFolder(tmp_path / "other")
    with other.opened(), pytest.raises(FolderError, match="augmented by other layers"):
        other.keep(Unit(AUGMENTED, (1,)), outcome(Unit(AUGMENTED, (1,)), augmentation={}))


def test_a_result_of_another_version_is_not_kept(tmp_path: Path) -> None:
    unit = Unit(BOSTON, (0, 1))
    foreign = provenance.versions() | {"keras": "2.0"}

    with SweepFolder(tmp_path).opened() as folder:
        with pytest.raises(FolderError, match=r"made with keras 2\.0"):
            folder.keep(unit, outcome(unit, versions=foreign))
        assert folder.done(BOSTON) == []


@pytest.mark.parametrize("name", ["nnloss", "pandas"])
def test_other_versions_may_change(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, Unit(BOSTON, (0, 1)))
    here = provenance.versions()
    monkeypatch.setattr(provenance, "versions", lambda: here | {name: "9"})

    with SweepFolder(tmp_path).opened() as folder:
        assert len(folder.done(BOSTON)) == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (json.dumps({"format": 2}), "found format 2"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        (None, "found 'results.txt' and no sweep.json"),
    ],
)
def test_a_folder_of_another_format_is_refused(
    tmp_path: Path, content: str | None, found: str
) -> None:
    home = tmp_path / "sweep"
    home.mkdir()
    (home / "results.txt").write_text("mine")
    if content is not None:
        (home / "sweep.json").write_text(content)

    with pytest.raises(FolderError) as caught, SweepFolder(tmp_path).opened():
        pass

    assert "must be a sweep in format 1, or new" in str(caught.value)
    assert found in str(caught.value)
    assert (home / "results.txt").read_text() == "mine"


def test_fresh_sets_aside_what_is_there(tmp_path: Path) -> None:
    keep(tmp_path, Unit(BOSTON, (0, 1)))

    with SweepFolder(tmp_path).opened(fresh=True) as folder:
        assert folder.done(BOSTON) == []
        folder.keep(Unit(BOSTON, (0, 1)), outcome(Unit(BOSTON, (0, 1))))

    (aside,) = tmp_path.glob("sweep.aside-*")
    assert (aside / Unit(BOSTON, (0, 1)).folder / "run.json").exists()
    with SweepFolder(tmp_path).opened() as folder:
        assert len(folder.done(BOSTON)) == 1


HOLDER = """
import sys, time
from pathlib import Path
from nnloss.reproduction.folder import SweepFolder
with SweepFolder(Path(sys.argv[1])).opened():
    print("open", flush=True)
    time.sleep(600)
"""


def test_one_sweep_at_a_time_and_a_killed_one_frees_the_folder(tmp_path: Path) -> None:
    keep(tmp_path, Unit(BOSTON, (0, 1)))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with (
            pytest.raises(FolderError, match="One sweep at a time") as caught,
            SweepFolder(tmp_path).opened(fresh=True),
        ):
            pass
        other.kill()
        other.wait()

    assert f"process {other.pid}, since 20" in str(caught.value)
    assert not list(tmp_path.glob("sweep.aside-*"))  # the refused one touched nothing
    with SweepFolder(tmp_path).opened() as folder:
        assert len(folder.done(BOSTON)) == 1


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sweep").write_text("mine")

    with pytest.raises(FolderError, match="is a file"), SweepFolder(tmp_path).opened():
        pass

    assert sorted(os.listdir(tmp_path)) == ["sweep"]


def test_an_empty_sweep_has_empty_tables(tmp_path: Path) -> None:
    with SweepFolder(tmp_path).opened() as folder:
        assert folder.table("seeds", quick=False).empty
        assert list(folder.table("curves", quick=False).columns)[-1] == "seed"


def test_looking_changes_nothing_and_takes_any_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)
    monkeypatch.setattr(provenance, "versions", dict)
    folder = SweepFolder(tmp_path)
    folder.read_only()
    assert folder.done(BOSTON) == [unit]

    _flip(folder.home / unit.folder / "seeds.csv")
    with pytest.raises(DataError, match=r"the checksum of 'seeds\.csv' does not agree"):
        folder.read_only()
    assert (folder.home / unit.folder).is_dir()
