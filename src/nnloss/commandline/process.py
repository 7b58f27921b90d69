"""How does a command begin and end: its log, one-line errors and the exit status."""

from __future__ import annotations

import atexit
import gc
import inspect
import io
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import typer
from rich.console import Console
from typer.core import TyperCommand

from nnloss.commandline.text import wrapped
from nnloss.errors import NnlossError, printable
from nnloss.runs import provenance


def set_up() -> None:
    """Prepare the process of a command: write its log, and collect garbage less often."""
    log_to_terminal()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file name may not be valid UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    # TensorFlow's modules and traces are millions of objects that live to the end. To search them
    # again and again, and once more at the end, took a quarter of the time of a short command.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)


def log_to_terminal(file: TextIO | None = None) -> None:
    """Write the log of nnloss, and no other log, to a file; the default is standard error."""
    logger = logging.getLogger("nnloss")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(file)
    handler.setFormatter(_Wrapped())
    logger.addHandler(handler)
    logger.propagate = False  # some libraries write to the root logger


class _Wrapped(logging.Formatter):
    """Wraps a message to the terminal; elsewhere it is one line, which can be searched."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        message, console = super().formatMessage(record), Console(stderr=True)
        return wrapped(message, console.width, "    ") if console.is_terminal else message


def run(main: Callable[..., None]) -> None:
    """Run a function with its signature as the command line, and exit with its status."""
    set_up()
    sys.exit(status(application(main)))


class WithoutTypes:
    """Mixin of commands in whose help flags and arguments have no type; ``--help`` comes last."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters of the command."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for each in parameters:
            if getattr(each, "is_flag", True):  # an argument is no option, and has no such field
                each.display_type_rich = lambda ctx: ""
            if each.name == "help":
                each.rich_help_panel = "Other"
        return parameters


class Command(WithoutTypes, TyperCommand):
    """The command of an application."""


def application(main: Callable[..., None]) -> typer.Typer:
    """Return a Typer application with one command, whose options are the function's parameters."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    paragraphs = inspect.getdoc(main) or ""
    text = "\n\n".join(" ".join(each.split()) for each in paragraphs.split("\n\n"))
    app.command(cls=Command, help=text)(main)
    return app


def status(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; invalid input prints one line on stderr."""
    try:
        ended = app(arguments, prog_name=provenance.program(), standalone_mode=False)
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        return status
    return _interrupted() if ended == 130 else int(ended or 0)


def status_of(error: BaseException) -> int | None:
    """Print an error that a user can mend as one line on standard error; return the exit status.

    None is returned, and nothing printed, for an error in the program.
    """
    if isinstance(error, KeyboardInterrupt):
        return _interrupted()
    if isinstance(error, typer.TyperException):
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        if not message:  # without arguments, and the help has been printed
            return 2
        return print_error(f"{message}. See --help")
    if isinstance(error, NnlossError):
        return print_error(str(error))
    if isinstance(error, OSError):
        return print_error(
            f"Files must be readable and writable; the system reports: {error}. See --help"
        )
    return None


def _interrupted() -> int:
    print("Interrupted.", file=sys.stderr)
    return 130


def print_error(message: str) -> int:
    """Print an error as one line on standard error, and return the exit status 2."""
    print("Error: " + printable(" ".join(message.split())), file=sys.stderr)
    return 2
