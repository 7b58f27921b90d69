"""Upgrades: what version 0.1 wrote still opens."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import ROOT

from nnloss import RunRecord
from nnloss.reproduction.folder import SweepFolder
from nnloss.runs import provenance

COMMITTED = sorted((ROOT / "results").rglob("run.json"))
# The keys of the first version 0.1, as it wrote them.
OLDEST = {
    "id": "20261122T225428-ce28d4", "exercise": "boston", "status": "finished",
    "command": "python -m exercises.boston", "start": "2026-11-22T22:54:28+00:00",
    "end": "2026-11-22T22:54:33+00:00", "edition": 2023, "quick": False, "seed": 0,
    "seconds": {"fit": 2.5}, "versions": {"keras": "3.15.1"}, "machine": {"cores": 2},
    "git_commit": None, "data": {"sha256": "ab"}, "split": {"train": 404, "test": 102},
    "task": "regression", "activation": "linear", "loss": "mean_squared_error",
    "optimizer": {"name": "adam"}, "parameters": 5121, "epochs": 100, "epochs_trained": 100,
    "batch_size": 64, "weights_sha256": "cd", "metrics": {"test": {"mean_squared_error": 21.0}},
    "baseline": {"linear_regression": {"mean_squared_error": 23.2}}, "published": [], "error": None,
}  # fmt: skip
# Those that later versions 0.1 added, one after the other.
ADDED = {
    "notes": ["a problem"], "augment": True, "claims": [{"holds": True}], "seeds": [3, 4],
    "augmentation": {"rotation": 10.0}, "seeds_per_split": 2, "figures": {"history": "Caption."},
}  # fmt: skip


def test_committed_records_open_and_are_written_as_they_were():
    assert len(COMMITTED) > 100
    for path in COMMITTED:
        old = json.loads(path.read_text(encoding="utf-8"))
        new = json.loads(RunRecord.read(path).to_json())
        assert {key: new[key] for key in old} == old


@pytest.mark.parametrize("added", range(len(ADDED) + 1))
def test_a_record_of_each_version_0_1_opens(tmp_path, added):
    keys = OLDEST | dict(list(ADDED.items())[:added])
    path = tmp_path / "run.json"
    path.write_text(json.dumps(keys))
    record = RunRecord.read(path)
    assert {key: getattr(record, key) for key in keys} == keys
    assert record.row()["metrics.test.mean_squared_error"] == 21.0
    for key in list(ADDED)[added:]:
        assert not getattr(record, key)


def test_a_sweep_of_version_0_1_goes_on(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "results" / "sweep" / "wafer", tmp_path / "sweep" / "wafer")
    shutil.copy(ROOT / "results" / "sweep" / "sweep.json", tmp_path / "sweep")
    versions = RunRecord.read(
        next(path for path in COMMITTED if "sweep/wafer" in str(path))
    ).versions
    monkeypatch.setattr(provenance, "versions", lambda: versions | {"nnloss": "0.2.0"})
    with SweepFolder(tmp_path).opened() as folder:
        assert folder.table("seeds", quick=False)["seed"].nunique() >= 100
