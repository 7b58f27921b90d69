"""Faults at random and at every place: kills, full disks and flipped bits lose no finished unit."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from light_sweep import LightSweep
from test_sweep_folder import BOSTON, keep, outcome

from nnloss import FolderError
from nnloss.reproduction.folder import SweepFolder
from nnloss.reproduction.units import Unit

pytestmark = pytest.mark.slow
KILLS = 30
UNIT = Unit(BOSTON, (0, 1))


@pytest.fixture
def light(tmp_path: Path) -> Iterator[LightSweep]:
    sweep = LightSweep(tmp_path)
    yield sweep
    sweep.close()


def test_kills_at_random_moments_lose_no_finished_unit(light: LightSweep) -> None:
    chance = random.Random(0)
    began = time.monotonic()
    assert light.ended(light.start("--jobs", "2")) == (0, "")
    whole = time.monotonic() - began
    killed: Counter[str] = Counter()
    while killed.total() < KILLS:
        units = sorted(path.parent for path in light.out.glob("sweep/boston/*/*/SHA256SUMS"))
        for unit in chance.sample(units, min(2, len(units))):  # so that there is work
            shutil.rmtree(unit)
        left = {path: path.stat().st_mtime_ns for path in light.out.glob("sweep/boston/*/*/*")}
        process = light.start("--jobs", "2")
        time.sleep(chance.uniform(0, whole))
        workers = psutil.Process(process.pid).children(recursive=True)
        target = chance.choice([process.pid, *(worker.pid for worker in workers)])
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:  # it had just ended
            continue
        killed["sweep" if target == process.pid else "one of its processes"] += 1
        light.ended(process)
        assert (
            left.items()
            <= {
                path: path.stat().st_mtime_ns for path in light.out.glob("sweep/boston/*/*/*")
            }.items()
        )
    print(f"killed: {dict(killed)}")
    assert min(killed.values()) > 0
    assert light.ended(light.start("--jobs", "2")) == (0, "")
    light.check()


#: What writes to the disk when a unit is kept.
WRITES = [
    (os, "fsync"), (os, "replace"), (Path, "mkdir"), (Path, "rename"), (Path, "write_text"),
    (pd.DataFrame, "to_csv"),
]  # fmt: skip


def test_a_full_disk_at_any_write_leaves_nothing_and_the_unit_is_kept_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path)
    calls = 0
    full_at = 0

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == full_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return call

    with SweepFolder(tmp_path).opened() as folder, monkeypatch.context() as patch:
        for home, name in WRITES:
            patch.setattr(home, name, failing(getattr(home, name)))
        while True:
            calls, full_at = 0, full_at + 1
            try:
                folder.keep(UNIT, outcome(UNIT))
                break
            except FolderError as error:
                found = str(error)
            assert "No space left on device" in found
            assert folder.done(BOSTON) == []
            assert list(folder.under_way.iterdir()) == []
            assert not (folder.home / UNIT.folder).exists()
    print(f"writes: {full_at - 1}")
    assert full_at > 15
    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == [UNIT]


def test_a_flipped_bit_anywhere_is_noticed(tmp_path: Path) -> None:
    keep(tmp_path, UNIT)
    home = tmp_path / "sweep" / UNIT.folder
    flipped = 0
    for file in sorted(home.iterdir()):
        content = file.read_bytes()
        for place in range(0, len(content), 8):
            changed = bytearray(content)
            changed[place] ^= 1 << place // 8 % 8
            file.write_bytes(changed)
            with SweepFolder(tmp_path).opened() as folder:
                assert folder.done(BOSTON) == [], (file.name, place)
            (aside,) = home.parent.glob("*.aside-*")
            aside.rename(home)
            file.write_bytes(content)
            flipped += 1
    print(f"flipped: {flipped}")
    with SweepFolder(tmp_path).opened() as folder:
        assert folder.done(BOSTON) == [UNIT]
