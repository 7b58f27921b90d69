"""The command ``nnloss check MODEL.keras``, which checks the outputs and losses of saved models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnloss import commandline as cli
from nnloss.errors import DataError, printable
from nnloss.pairing.limits import Limited

if TYPE_CHECKING:
    from nnloss.pairing.findings import PairingReport

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
    statuses, reports = [], []
    with Limited(report_on) as limited:
        for path in models:
            try:
                report = limited(path, loss)
            except DataError as error:
                if len(models) == 1:
                    raise
                statuses.append(cli.print_error(str(error)))
                continue
            statuses.append(STATUS[report.verdict])
            reports.append({"file": str(path)} | report.to_dict())
            if not as_json:
                text = report.to_text(cli.width_of_text())
                print(text if len(models) == 1 else f"{printable(str(path))}\n{text}", flush=True)
    if as_json:
        found = report.to_dict() if len(models) == 1 else reports
        print(json.dumps(found, indent=2))
    raise typer.Exit(max(statuses))


def report_on(path: Path, loss: str | None, started: Callable[[], None]) -> PairingReport:
    """Return the report on a saved model; called in a process that only checks."""
    from nnloss.pairing.saved import read_model

    def keras_is_imported() -> None:
        from nnloss._keras import keras

        keras.ops.convert_to_tensor(0.0)  # a backend starts with its first tensor
        started()

    saved = read_model(path, compiled=loss is None, started=keras_is_imported)
    from nnloss.pairing.check import check_pairing

    return check_pairing(saved, loss)
