"""How a command line of this project ends: one line for an error, and the exit status.

0 done; 2 wrong input, told in one line; 130 stopped with Ctrl-C; else what the command gives.
"""

from __future__ import annotations

import sys

import typer

from nnloss import provenance
from nnloss.errors import NnlossError, printable


def status(app: typer.Typer) -> int:
    """Run a command line.

    Parameters
    ----------
    app : typer.Typer
        Its commands.

    Returns
    -------
    int
        The exit status. What is wrong with the input is on standard error then, in one line.
    """
    try:
        ended = app(prog_name=provenance.program(), standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        return complain(f"{message}. See --help")
    except NnlossError as error:
        return complain(str(error))
    except OSError as error:
        return complain(
            f"Files must be readable and writable; the system says: {error}. See --help"
        )
    if ended == 130:
        print("Interrupted.", file=sys.stderr)
    return int(ended or 0)


def complain(message: str) -> int:
    """Print an error as one line on standard error.

    Parameters
    ----------
    message : str
        What is wrong with the input.

    Returns
    -------
    int
        The exit status that goes with it, 2.
    """
    print("Error: " + printable(" ".join(message.split())), file=sys.stderr)
    return 2
