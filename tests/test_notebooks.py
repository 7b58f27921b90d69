"""The committed notebooks are those of the labs, executed."""

from __future__ import annotations

import nbformat
import pytest

import notebooks.__main__ as notebooks
from notebooks.__main__ import FOLDER, LABS, LIMIT, is_stale

pytestmark = pytest.mark.slow

NAMES = [lab.stem for lab in LABS]


@pytest.mark.parametrize("lab", LABS, ids=NAMES)
def test_a_notebook_has_the_sources_of_its_lab(lab):
    assert not is_stale(lab), f"run python -m notebooks {lab.stem}"


def test_there_are_no_others():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_was_executed_and_has_its_figures(name):
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < LIMIT
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    assert {"text/html", "text/markdown"} <= kinds
    texts = [output.get("text", "") for output in outputs]
    texts += [output.get("data", {}).get("text/markdown", "") for output in outputs]
    assert not [text for text in texts if "/tmp" in text]


def test_a_changed_lab_makes_its_notebook_stale(tmp_path, monkeypatch):
    (lab,) = (each for each in LABS if each.stem == "boston")
    changed = tmp_path / "boston.py"
    changed.write_text(lab.read_text().replace("## Load the data", "## Load data"))
    assert is_stale(changed)
    assert is_stale(tmp_path / "boston.py")
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    assert is_stale(lab)  # missing


def test_the_command_refuses_stale_and_unknown_notebooks(typed, tmp_path, monkeypatch):
    done = typed(notebooks.main, "chess")
    assert done.returncode == 2
    assert "found chess" in done.stderr
    assert typed(notebooks.main, "--check").returncode == 0
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    done = typed(notebooks.main, "--check")
    assert done.returncode == 2
    assert "stale are boston" in done.stderr
