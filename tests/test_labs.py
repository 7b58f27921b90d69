"""What a lab shows, where it saves it, and how it ends: in a script and in a notebook."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import ROOT
from matplotlib.figure import Figure

from nnloss import RunRecord, lab
from nnloss.errors import LabError
from nnloss.labs import Lab

SOURCE = '''
# %% [markdown]
# # A small lab

# %%
"""A lab of nothing."""

import nnloss
from nnloss.theory.claims import same

lab = nnloss.lab(__name__, "small", notebook="--seed 3")

# %% [markdown]
# ## Without output

# %%
one = 1

# %% [markdown]
# ## With output

# %%
for word in ("first", "second"):
    lab.show(word)
with lab.run("run") as run:
    run.update(claims=[{"topic": "t", "claim": "1 = 2", "holds": HOLDS}])

lab.close()
'''


@pytest.fixture
def script(python, tmp_path):
    """Run the small lab in a process of its own."""

    def run(*arguments, old="HOLDS", new="True"):
        path = tmp_path / "small.py"
        path.write_text(SOURCE.replace(old, new).replace("HOLDS", "True"))
        return python(str(path), *arguments, "--out", str(tmp_path / "runs"))

    return run


@pytest.fixture
def begun(tmp_path):
    """Begin a lab without a source, which prints no headings."""
    path = tmp_path / "empty.py"
    path.write_text("")
    return Lab("small", path, seed=5, out=tmp_path / "runs")


def test_headings_are_those_of_the_cells_that_show_something(script, tmp_path):
    done = script()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("\nA small lab\n\nWith output\nfirst\nsecond\n\nResults\n")
    (path,) = tmp_path.glob("runs/small/*/run.json")
    assert RunRecord.read(path).status == "finished"
    assert f"Run 'run':\n    {path.parent}\n" in done.stdout


def test_a_claim_that_does_not_hold_is_the_status(script):
    done = script(new="False")
    assert done.returncode == 1
    assert "1 = 2" in done.stdout


def test_an_error_of_the_program_has_its_traceback(script):
    done = script(old="one = 1", new="one = 1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" in done.stderr


def test_an_error_of_the_user_is_one_line(script, tmp_path):
    done = script("--seed", "-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: Invalid value for '--seed'")
    assert not (tmp_path / "runs").exists()
    done = script(old="one = 1", new="nnloss.load_boston('/nowhere')")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The data folder '/nowhere'")


def test_what_is_shown_is_saved_in_each_run(begun, capsys):
    with begun.run("first") as first:
        pass
    begun.show(Figure(figsize=(2, 2)), "both", "A caption.")
    with begun.run("second") as second:
        pass
    begun.show(Figure(figsize=(2, 2)), "one", "Only here.", run="second")
    begun.show(pd.DataFrame({"a": [1]}), "numbers")
    assert first.record.figures == {"both": "A caption."}
    assert second.record.figures == {"both": "A caption.", "one": "Second. Only here."}
    assert {path.name for path in first.folder.glob("*.*g")} == {"both.png", "both.svg"}
    assert (first.folder / "numbers.csv").exists()
    assert "[both.png] A caption." in capsys.readouterr().out


def test_a_run_has_what_the_lab_knows(begun, split):
    begun.exercise, begun.edition, begun.quick = "boston", "2024-pdf", True
    with begun.run("run", split, baseline={"x": {"y": 1.0}}) as run:
        assert begun.progress.title == "run"
    record = run.record
    assert (record.seed, record.edition, record.quick) == (5, "2024-pdf", True)
    assert (record.split, record.data["sha256"]) == (split.sizes, split.sha256)
    assert record.baseline == {"x": {"y": 1.0}}
    assert begun.settings(7).epochs == 7
    begun.quick = False
    assert (begun.settings(7).epochs, begun.settings(7).batch_size) == (100, 64)
    begun.epochs, begun.batch_size = 3, 8
    assert (begun.settings(7).epochs, begun.settings(7).batch_size) == (3, 8)


def test_an_imported_lab_does_nothing():
    with pytest.raises(LabError, match=r"Run python -m exercises\.small, or import nnloss\.course"):
        lab("exercises.small", "small")


# In a notebook


def executed(folder, *cells):
    """Execute a notebook in a folder."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, resources=place, kernel_name="python3").execute()
    return notebook


BEGIN = """import sys
sys.path.insert(0, {root!r})
import nnloss
lab = nnloss.lab(__name__, "small", notebook={options!r})"""


def begin(options=""):
    return BEGIN.format(root=str(ROOT), options=options)


@pytest.mark.slow
def test_a_notebook_shows_everything_inline(tmp_path):
    notebook = executed(
        tmp_path,
        begin("--seed 3"),
        "assert lab.seed == 3\nlab.show('Some\\n  words.')",
        "import pandas as pd\nlab.show(pd.DataFrame({'name': ['a'], 'x': [1.5]}), caption='Table')",
        "from matplotlib.figure import Figure\n"
        "with lab.run('run'):\n    lab.show(Figure(figsize=(2, 2)), 'empty', 'A caption.')",
        "lab.close()",
    )
    _, words, table, figure, end = (cell.outputs for cell in notebook.cells)
    assert words[0].data["text/markdown"] == "Some words."
    assert "<td" in table[0].data["text/html"]
    assert "1.50000" in table[0].data["text/html"]
    assert "image/png" in figure[0].data
    assert figure[1].data["text/markdown"] == "*A caption.*"
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    assert (folder / "empty.png").exists()
    assert folder.name in "".join(str(each) for each in end)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("--seed x", "", "The argument 'notebook' must have options of the lab; found --seed x: "),
        (
            "--out /proc/nnloss",
            "with lab.run('run'): pass",
            "The output folder '/proc/nnloss' must be a folder",
        ),
        (
            "",
            "nnloss.load_wafer('/nowhere')",
            "The data folder '/nowhere' (--data-dir) must contain",
        ),
    ],
)
def test_an_error_in_a_notebook_is_one_line(tmp_path, options, code, message):
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError) as found:
        executed(tmp_path, begin(options), code)
    (line,) = (line for line in found.value.traceback.splitlines() if line.startswith("Error: "))
    assert message in line
    assert "Traceback" not in found.value.traceback
    assert not (tmp_path / "runs").exists()
