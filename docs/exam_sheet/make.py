"""Exam sheet of one page: its HTML from the table and the committed results, its PDF from the HTML.

``uv run python docs/exam_sheet/make.py`` writes ``docs/exam_sheet.html`` and, by headless Chromium,
``docs/exam_sheet.pdf``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nnloss import TASKS, RunRecord, Task
from nnloss._files import replacing
from nnloss.commandline import print_error
from nnloss.errors import NnlossError
from nnloss.table import BCE, SPARSE_CCE
from nnloss.theory.pitfalls import GOOD, summary

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "docs" / "exam_sheet.html"
PDF = HTML.with_suffix(".pdf")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
CLASSES = 10  # in the lines of code for a task with an open number of nodes


def page() -> str:
    """Return the sheet as one HTML page that loads nothing."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"fixed": fixed, "signed": signed}
    return environment.get_template("exam_sheet.html.j2").render(
        tasks=[(task, *targets(task)) for task in TASKS.values()],
        code=[(task, code(task)) for task in TASKS.values() if task.in_course],
        bce=BCE,
        sparse=SPARSE_CCE,
        classes=CLASSES,
        level=GOOD,
        **pitfalls(),
        **errors(),
    )


def fixed(value: float, digits: int) -> str:
    """Return a number with a typographic minus sign."""
    return f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float, digits: int) -> str:
    """Return a difference with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def targets(task: Task) -> tuple[str, str]:
    """Return the values and the shape of a task's targets, with n rows."""
    text = task.domain.text((None, task.nodes)).removeprefix("targets that are ")
    values, shape = text.split(", of shape ")
    return values, shape.replace("N", "n").replace("any", task.row[1])


def code(task: Task) -> str:
    """Return the output layer and the call of ``compile`` for a task, as Python."""
    metrics = [each.name for each in task.metrics if each.name != task.loss.name]
    return "\n".join(
        (
            f'model.add(layers.Dense({task.nodes or CLASSES}, "{task.activation}"))  # {task.name}',
            f'model.compile("adam", loss="{task.loss.name}",',
            f'              metrics=["{metrics[0]}"])',
        )
    )


def pitfalls() -> dict[str, Any]:
    """Return the committed trainings of right and wrong pairings, and the claims beside them."""
    ((record, folder),) = runs("losses")
    trained = pd.read_csv(folder / "pitfalls.csv")
    sure = trained["bias"] > 0
    claims = [each for each in record.claims if each["topic"] == "double softmax"]
    (wafer, *_) = [record for record, _ in runs("wafer")]
    return {
        "usual": summary(trained[~sure], GOOD).set_index("pairing").to_dict("index"),
        "sure": summary(trained[sure], GOOD).set_index("pairing").to_dict("index"),
        "start": trained["bias"].max(),
        "epochs": trained["epoch"].max(),
        "floors": {each["claim"].partition("K = ")[2]: each["left"] for each in claims},
        "all_normal": wafer.baseline["all_normal"]["accuracy"],
        "losses_folder": folder.relative_to(ROOT).as_posix(),
    }


def errors() -> dict[str, Any]:
    """Return what the committed runs say about MSE and MAE."""
    (folder,) = (path for record, path in runs("boston") if record.loss == "mean_squared_error")
    rows = pd.read_csv(folder / "predictions.csv")
    rows = rows[rows["rows"] == "test"]
    size = np.sort((rows["actual"] - rows["network"]).abs())[::-1]
    compared = pd.read_csv(ROOT / "results" / "sweep" / "split_comparisons.csv")
    course = compared[compared["edition"] == "2023"].set_index("title").to_dict("index")
    return {
        "rows": len(rows),
        "shares": [100 * np.sum(size[:5] ** power) / np.sum(size**power) for power in (2, 1)],
        "on_mse": course["test MSE"],
        "on_mae": course["test MAE"],
        "boston_folder": folder.relative_to(ROOT).as_posix(),
    }


def runs(exercise: str) -> list[tuple[RunRecord, Path]]:
    """Return the committed runs of an exercise with their folders."""
    paths = sorted((ROOT / "results" / exercise).glob("*/run.json"))
    return [(RunRecord.read(path), path.parent) for path in paths]


def printed(html: Path) -> bytes:
    """Return a page as PDF, printed by headless Chromium, without the time of printing.

    Raise NnlossError if there is no Chromium or it fails.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    remedy = f"{html.name} is written; install Chromium, for example by apt, and run this again"
    if program is None:
        raise NnlossError(
            "The PDF is printed by Chromium", f"found none of {', '.join(PROGRAMS)}", remedy
        )
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "sheet.pdf"
        command = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            "--disable-pdf-tagging",
            f"--user-data-dir={folder}/profile", f"--print-to-pdf={pdf}", html.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not pdf.exists():
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise NnlossError(
                "The PDF is printed by Chromium",
                f"{program} ended with status {done.returncode} and said: {said}",
                remedy,
            )
        # Blanks of the same length keep the byte offsets in the file.
        return re.sub(
            rb"/(?:Creation|Mod)Date \(.*?\)", lambda found: b" " * len(found[0]), pdf.read_bytes()
        )


def main() -> int:
    """Write the page and its PDF, and return the exit status."""
    try:
        with replacing(HTML) as path:
            path.write_text(page(), encoding="utf-8")
        content = printed(HTML)
        with replacing(PDF) as path:
            path.write_bytes(content)
    except NnlossError as error:
        return print_error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
