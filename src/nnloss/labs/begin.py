"""The first cell of a lab: its options, from a command line or a notebook."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal

from nnloss import commandline as cli
from nnloss.errors import LabError
from nnloss.labs import inline
from nnloss.labs.cells import OF_THE_COURSE, Lab
from nnloss.runs import provenance


def lab(
    name: str,
    exercise: str,
    *,
    loss: Sequence[str] = (),
    augment: bool = False,
    notebook: str = "",
) -> Lab:
    """Begin a lab: parse the command line of a script, or take the options of a notebook.

    In a script, errors end it as they end a command: invalid input with one line and the status 2,
    Ctrl-C with 130.

    Parameters
    ----------
    name : str
        ``__name__``.
    exercise : str
        Name of the exercise in records and folders.
    loss : sequence of str, optional
        Choices of the option ``--loss``, the default first.
    augment : bool, default False
        Whether there is the option ``--augment``.
    notebook : str, optional
        Options of a notebook, as in a command line. Those in the environment variable
        ``NNLOSS_LAB`` are added.

    Returns
    -------
    Lab
        With the options that were given.

    Raises
    ------
    LabError
        If the lab is imported, or the options of the notebook are invalid.

    Examples
    --------
    The first cell of a lab:

    >>> from nnloss import lab
    >>> begun = lab(__name__, "boston", loss=("mse", "mae", "both"))  # doctest: +SKIP

    A lab is run and not imported:

    >>> lab("exercises.boston", "boston")
    Traceback (most recent call last):
        ...
    nnloss.errors.LabError: 'exercises.boston' is a lab, to be run and not imported; ...
    """
    caller = sys._getframe(1).f_globals
    if name != "__main__":
        raise LabError(
            f"'{name}' is a lab, to be run and not imported",
            "found an import",
            f"Run python -m {name}, or import nnloss.course for what the labs share",
        )
    found: dict[str, Any] = {}

    def main(**options: Any) -> None:
        cli.require_folder(options["out"])
        found.update(options)

    main.__doc__ = f"{caller['__doc__']}\n\nExample: {provenance.program()} {notebook}"
    main.__signature__ = _signature(exercise, loss, augment)  # type: ignore[attr-defined]
    main.__annotations__ = {
        each.name: each.annotation
        for each in main.__signature__.parameters.values()  # type: ignore[attr-defined]
    }
    app = cli.application(main)
    if inline.in_notebook():
        inline.parse(app, f"{notebook} {os.environ.get('NNLOSS_LAB', '')}")
        return Lab(exercise, None, choices=loss, **found)
    cli.set_up()
    status = cli.status(app)
    sys.excepthook = _end  # after Typer has set its own
    if not found:  # invalid options, or --help
        raise SystemExit(status)
    return Lab(exercise, Path(caller["__file__"]), choices=loss, **found)


def _signature(exercise: str, loss: Sequence[str], augment: bool) -> inspect.Signature:
    """Return the options of a lab as the signature of a function."""
    options: dict[str, tuple[Any, Any]] = {"seed": (cli.Seed, 0)}
    if exercise in OF_THE_COURSE:
        options |= {"epochs": (cli.Epochs, None), "batch_size": (cli.BatchSize, None)}
    if loss:
        text = cli.option("What the network is trained on.", group="Training")
        choice = Annotated[Literal[*loss], text]  # type: ignore[valid-type]
        options["loss"] = (choice, loss[0])
    if augment:
        options["augment"] = (cli.Augment, False)
    if exercise in OF_THE_COURSE:
        options["edition"] = (cli.Edition, "2023")
    options |= {
        "out": (cli.Out, Path("runs")),
        "data_dir": (cli.DataDir, None),
        "quick": (cli.Quick, False),
    }
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in options.items()
        ]
    )


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End a script as a command ends, with its status."""
    status = cli.status_of(error)
    if status is None:
        sys.__excepthook__(kind, error, trace)
        status = 1
    raise SystemExit(status)
