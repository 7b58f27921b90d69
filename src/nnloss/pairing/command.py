"""The command ``nnloss check MODEL.keras``, which checks the outputs and losses of saved models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nnloss import commandline as cli
from nnloss.errors import DataError, printable

#: Exit status by verdict; also 2 if the file cannot be read.
STATUS = {"right": 0, "wrong": 1, "unknown": 2}


def main(
    models: Annotated[list[Path], typer.Argument(help="Saved models.", metavar="MODEL.keras")],
    loss: Annotated[
        str | None,
        cli.option("Name of a loss in Keras. Default: the one it was compiled with.", "NAME"),
    ] = None,
    as_json: Annotated[bool, cli.flag("--json", "Print the report as JSON.")] = False,
) -> None:
    """Check whether the outputs of saved Keras models fit their losses.

    Exit status: 0 right, 1 wrong, 2 cannot be read or cannot be known; of several files the
    highest. Nothing in a file is run.

    Example: python -m nnloss check model.keras --loss mse
    """
    from nnloss.pairing.saved import read_model

    statuses, reports = [], []
    for path in models:
        try:
            saved = read_model(path, compiled=loss is None)
        except DataError as error:
            if len(models) == 1:
                raise
            statuses.append(cli.print_error(str(error)))
            continue
        from nnloss.pairing.check import check_pairing

        report = check_pairing(saved, loss)
        statuses.append(STATUS[report.verdict])
        reports.append({"file": str(path)} | report.to_dict())
        if not as_json:
            text = report.to_text(cli.width_of_text())
            print(text if len(models) == 1 else f"{printable(str(path))}\n{text}", flush=True)
    if as_json:
        found = report.to_dict() if len(models) == 1 else reports
        print(json.dumps(found, indent=2))
    raise typer.Exit(max(statuses))
