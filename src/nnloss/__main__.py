"""The command line of the package: ``nnloss``, or ``python -m nnloss``."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from nnloss import commandline

#: Package whose module ``command`` has the ``main`` of a command, and its line in ``--help``.
COMMANDS = {
    "check": ("pairing", "Check whether the outputs of saved Keras models fit their losses."),
    "quiz": ("quiz", "Answer exam questions on losses, output activations and likelihoods."),
    "reproduce": (
        "reproduction",
        "Train the networks from many seeds, and judge the published numbers by them.",
    ),
    "losses": (
        "theory",
        "Losses are likelihoods: identities, GLM twins, pitfalls, landscapes, hidden states.",
    ),
}


class Commands(commandline.WithoutTypes, TyperGroup):
    """Commands of which only the one that runs is imported."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name of a command, the command and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            module = import_module(f"nnloss.{COMMANDS[name][0]}.command")
            command = typer.main.get_command(commandline.application(module.main))
        return name, command, rest


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Neural-network losses are likelihoods: output activation and loss in their right pairs."
    "\n\nExample: python -m nnloss check model.keras",
)
for _name, (_, _line) in COMMANDS.items():
    app.command(_name, help=_line)(lambda: None)


def main() -> None:
    """Run the command line and exit with its status."""
    commandline.set_up()
    sys.exit(commandline.status(app))


if __name__ == "__main__":
    main()
