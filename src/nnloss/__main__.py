"""The command line of the package: ``python -m nnloss check MODEL.keras``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nnloss.commandline import status

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

#: Exit status by verdict; 2 also where the file cannot be read.
STATUS = {"right": 0, "wrong": 1, "unknown": 2}


@app.callback()
def main() -> None:
    """Neural-network losses are likelihoods: output activation and loss in their right pairs."""


@app.command()
def check(
    model: Annotated[Path, typer.Argument(help="A saved model.", metavar="MODEL.keras")],
    loss: Annotated[
        str | None,
        typer.Option(help="Name of a loss in Keras. Default: the one it was compiled with."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Tell whether the outputs of a saved Keras model fit its losses.

    Exit status: 0 right, 1 wrong, 2 cannot be read or cannot be known. Nothing in the file is run.
    """
    from nnloss.modelfile import read_model

    read, compiled_with = read_model(model, with_loss=loss is None)
    from nnloss.check import check_pairing

    report = check_pairing(read, compiled_with if loss is None else loss)
    print(json.dumps(report.to_dict(), indent=2) if as_json else report)
    raise typer.Exit(STATUS[report.verdict])


if __name__ == "__main__":
    sys.exit(status(app))
