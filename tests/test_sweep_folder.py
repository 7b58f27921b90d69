"""The folder of a sweep: whole units or none, verified, of one version, for one sweep at a time."""

from __future__ import annotations

import gzip
import hashlib
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


def test_a_folder_with_the_mark_of_those_set_aside_in_its_name_is_read(tmp_path: Path) -> None:
    unit, out = Unit(BOSTON, (0, 1)), tmp_path / "runs.aside-1"
    keep(out, unit)

    with SweepFolder(out).opened() as folder:
        assert folder.done(BOSTON) == [unit]


@pytest.mark.parametrize("place", ["a folder", "a file", "a file above"])
def test_what_stands_in_the_place_of_a_unit_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path)
    home = tmp_path / "sweep" / unit.folder
    stranger = home.parents[1] if place == "a file above" else home
    stranger.parent.mkdir(parents=True, exist_ok=True)
    if "file" in place:
        stranger.write_text("mine")
    else:
        (stranger / "notes").mkdir(parents=True)
        (stranger / "notes" / "mine.txt").write_text("mine")

    keep(tmp_path, unit)

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == [unit]
    (aside,) = stranger.parent.glob(f"{stranger.name}.aside-*")
    kept = aside if aside.is_file() else aside / "notes" / "mine.txt"
    assert kept.read_text() == "mine"
    assert f"'{stranger}' was not a run: set aside as {aside.name}" in caplog.messages


def in_record(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(record | changes))

    return change


def in_file(name: str, content: bytes | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)

    return change


SEEDS = b"seed,diverged,val_loss\n0,False,0.5\n1,False,0.5\n"
TAMPERED: dict[str, tuple[Callable[[Path], None], str]] = {
    "deep JSON": (in_file("run.json", b"[" * 200_000), "recursion"),
    "not UTF-8": (in_file("run.json", b'{"id": "\xff"}'), "utf-8"),
    "a list": (in_file("run.json", b"[]"), "mapping"),
    "seeds null": (in_record(seeds=None), "found None as 'seeds'"),
    "seeds of text": (in_record(seeds=["0", "1"]), "found ['0', '1'] as 'seeds'"),
    "seeds true": (in_record(seeds=[False, True]), "found [False, True] as 'seeds'"),
    "a gap": (in_record(seeds=[0, 0, 1]), "its seeds are not consecutive: [0, 0, 1]"),
    "versions": (in_record(versions=[]), "found [] as 'versions'"),
    "machine": (in_record(machine=None), "found None as 'machine'"),
    "a text as seconds": (in_record(seconds={"fit": "5"}), "found {'fit': '5'} as 'seconds'"),
    "seconds": (in_record(seconds={"fit": 1e308}), "found {'fit': 1e+308} as 'seconds'"),
    "negative seconds": (in_record(seconds={"fit": -1}), "found -1 as 'seconds.fit'"),
    "seconds null": (in_record(seconds={"fit": None}), "found None as 'seconds.fit'"),
    "centuries": (in_record(seconds={"fit": 1e200}), "found 1e+200 as 'seconds.fit'"),
    "cores": (in_record(machine={"cores": "two"}), "found 'two' as 'machine.cores'"),
    "epochs": (in_record(epochs=10**400), "as 'epochs'"),
    "quick": (in_record(quick="no"), "found 'no' as 'quick'"),
    "a field": (in_record(other=1), "unexpected keyword argument 'other'"),
    "no table": (in_file("seeds.csv", None), "its table 'seeds' is missing"),
    "an empty table": (in_file("seeds.csv", b""), "No columns to parse"),
    "a table not UTF-8": (in_file("seeds.csv", b"seed\n\xff\n"), "utf-8"),
    "a table of zeros": (in_file("seeds.csv", bytes(100)), "its table 'seeds'"),
    "status": (in_record(status="failed"), "found the status 'failed'"),
    "a column of the sweep": (
        in_file("seeds.csv", b"seed,diverged,folder\n0,False,1\n1,False,1\n"), "a column 'folder'",
    ),
    "a large number": (
        in_file("seeds.csv", SEEDS.replace(b"0.5", b"1e308")), "has a number above 1e+100",
    ),
    "diverged": (in_file("seeds.csv", SEEDS.replace(b"False", b"5")), "else than True and False"),
    "an epoch twice": (
        in_file("curves.csv.gz", gzip.compress(b"seed,epoch\n0,1\n0,1\n1,1\n")),
        "the epochs of its table 'curves'",
    ),
    "another epoch": (
        in_file("curves.csv.gz", gzip.compress(b"seed,epoch\n0,1\n1,99\n")),
        "the epochs of its table 'curves'",
    ),
    "no epochs": (
        in_file("curves.csv.gz", gzip.compress(b"seed,loss\n0,1\n1,1\n")), "no column 'epoch'",
    ),
    "no seeds": (in_file("seeds.csv", b"other\n1\n"), "has no column 'seed'"),
    "a seed twice": (
        in_file("seeds.csv", SEEDS + b"1,False,0.5\n"), "does not have the seeds 0 to 1",
    ),
    "another seed": (
        in_file("seeds.csv", SEEDS.replace(b"1,", b"7,")), "does not have the seeds 0 to 1",
    ),
    "a text": (
        in_file("seeds.csv", SEEDS.replace(b"0.5", b"low")), "column 'val_loss' of its table",
    ),
    "no gzip": (in_file("curves.csv.gz", b"seed,epoch\n"), "Not a gzipped file"),
    "half a gzip": (in_file("curves.csv.gz", gzip.compress(SEEDS * 99)[:60]), "ended before"),
    "a spoilt gzip": (
        in_file("curves.csv.gz", gzip.compress(SEEDS)[:12] + b"\xff" * 40), "reading its tables",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "found"), TAMPERED.values(), ids=TAMPERED)
def test_a_unit_with_right_checksums_of_wrong_files_is_set_aside(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Path], None],
    found: str,
) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)
    home = tmp_path / "sweep" / unit.folder
    change(home)
    sums = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in home.iterdir()
        if path.name != "SHA256SUMS"
    )
    (home / "SHA256SUMS").write_text("".join(sums))

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == []
        folder.keep(unit, outcome(unit))
        assert folder.done(BOSTON) == [unit]

    (message,) = caplog.messages
    assert found in message
    assert "It was set aside as seeds-0-1.aside-" in message
    assert "\n" not in message


def test_a_unit_whose_training_diverged_is_kept(tmp_path: Path) -> None:
    unit = Unit(BOSTON, (0, 1))
    given = outcome(unit)
    given.tables["seeds"]["diverged"] = [False, True]
    given.tables["seeds"]["val_loss"] = [1.0, np.inf]
    given.tables["curves"]["val_loss"] = [np.nan, 1.0]
    with SweepFolder(tmp_path).opened() as folder:
        folder.keep(unit, given)
        assert folder.table("seeds", quick=False)["val_loss"].tolist() == [1.0, np.inf]


@pytest.mark.parametrize("name", ["run.json", "SHA256SUMS"])
@pytest.mark.parametrize("place", [".", "boston", "boston/mean_squared_error-batch-32-epochs-3"])
def test_a_stray_file_above_the_units_sets_nothing_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str, name: str
) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)
    (tmp_path / "sweep" / place / name).write_text("{}")

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == [unit]

    assert caplog.messages == []


@pytest.mark.parametrize("name", ["run.json", "SHA256SUMS", "seeds.csv"])
def test_a_pipe_among_the_files_of_a_unit_is_not_read(tmp_path: Path, name: str) -> None:
    unit = Unit(BOSTON, (0, 1))
    keep(tmp_path, unit)
    file = tmp_path / "sweep" / unit.folder / name
    file.unlink()
    os.mkfifo(file)

    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == []


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
