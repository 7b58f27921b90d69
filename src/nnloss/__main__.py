"""The command line of the package: ``nnloss``, or ``python -m nnloss``."""

from __future__ import annotations

import sys

import typer

from nnloss import commandline
from nnloss.pairing.command import check
from nnloss.quiz.command import main as quiz
from nnloss.reproduction.command import main as reproduce
from nnloss.theory.command import main as losses

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Neural-network losses are likelihoods: output activation and loss in their right pairs.",
)
app.command("check")(check)
app.command("quiz")(quiz)
app.command("reproduce")(reproduce)
app.command("losses")(losses)


def main() -> None:
    """Run the command line and exit with its status."""
    commandline.log_to_terminal()
    sys.exit(commandline.status(app))


if __name__ == "__main__":
    main()
