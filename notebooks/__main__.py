"""Make the notebooks from the labs, executed on the real data.

Run it with ``uv run --group notebooks python -m notebooks``; ``--check`` compares only.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import jupytext
import nbformat
import typer
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from nnloss import commandline as cli
from nnloss._files import replacing
from nnloss.errors import NnlossError

FOLDER = Path(__file__).parent
LABS = [
    path
    for path in sorted((FOLDER.parent / "exercises").glob("*.py"))
    if "nnloss.lab(" in path.read_text(encoding="utf-8")
]
INSTALL = """\
# Only where the notebook runs in Colab, the package is installed first.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet git+https://github.com/nnloss/nnloss"""
LIMIT = 1_000_000  # bytes of a notebook

Names = Annotated[
    list[str] | None, typer.Argument(help="Labs, such as boston. Default: all of them.")
]
Check = Annotated[bool, cli.flag("--check", "Execute nothing; fail where a notebook is stale.")]


def notebook_of(lab: Path) -> Any:
    """Return the notebook of a lab, not executed."""
    notebook = jupytext.read(lab)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(INSTALL))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # else it is random
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    return notebook


def sources(notebook: Any) -> list[tuple[str, str]]:
    """Return kind and source of each cell."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def is_stale(lab: Path) -> bool:
    """Return whether the notebook of a lab is missing or has other sources."""
    path = FOLDER / f"{lab.stem}.ipynb"
    return not path.exists() or sources(nbformat.read(path, 4)) != sources(notebook_of(lab))


def execute(notebook: Any, folder: str) -> None:
    """Execute a notebook in a folder, where its runs stay."""
    if "NNLOSS_DATA" in os.environ:  # may be relative to this folder
        os.environ["NNLOSS_DATA"] = str(Path(os.environ["NNLOSS_DATA"]).resolve())
    client = NotebookClient(
        notebook,
        timeout=None,
        resources={"metadata": {"path": folder}},
        record_timing=False,
        coalesce_streams=True,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        if error.ename in {kind.__name__ for kind in NnlossError.__subclasses__()}:
            raise typer.BadParameter(error.evalue) from None
        raise


def main(names: Names = None, check: Check = False, quick: cli.Quick = False) -> None:
    """Make the notebooks of the labs, executed, in the folder notebooks."""
    known = {lab.stem: lab for lab in LABS}
    unknown = set(names or []) - set(known)
    if unknown:
        raise typer.BadParameter(f"labs are {', '.join(known)}; found {', '.join(unknown)}")
    chosen = [known[name] for name in names or known]
    if check:
        stale = [lab.stem for lab in chosen if is_stale(lab)]
        if stale:
            raise typer.BadParameter(
                f"notebooks must have the sources of their labs; stale are {', '.join(stale)}. "
                f"Run python -m notebooks {' '.join(stale)}"
            )
        return
    if quick:
        os.environ["NNLOSS_LAB"] = "--quick"
    for lab in chosen:
        print(lab.stem, file=sys.stderr)
        notebook = notebook_of(lab)
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, folder)
        text = nbformat.writes(notebook) + "\n"
        if len(text) > LIMIT:
            raise typer.BadParameter(f"{lab.stem} has {len(text):,} bytes, above {LIMIT:,}")
        if not quick:
            with replacing(FOLDER / f"{lab.stem}.ipynb") as path:
                path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)
