"""Docstrings of the constants of `nnloss.table`, computed from what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import Any

from numpydoc.numpydoc import DEDUPLICATION_TAG

from nnloss.table import TASKS, Domain, Link, Loss, Task

OPEN = "any"  # how a domain writes a size that is not fixed


def setup(app: Any) -> dict[str, bool]:
    """Connect `describe` before numpydoc."""
    app.connect("autodoc-process-docstring", describe, priority=400)
    return {"parallel_read_safe": True}


def describe(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Replace the docstring of a constant, which is the one of its class, by a text of its own.

    numpydoc leaves alone what it has processed already: here constants, and what a module imports
    from other packages, which autodoc reads and does not show.
    """
    if what == "data":
        lines[:] = text(obj) or lines
    elif str(getattr(obj, "__module__", "nnloss")).partition(".")[0] == "nnloss":
        return
    lines += ["", "..", DEDUPLICATION_TAG]


@singledispatch
def text(obj: Any) -> list[str]:
    """Return the lines of a docstring; none for an object of another class."""
    return []


@text.register
def _(task: Task) -> list[str]:
    _, nodes, activation, title, glm = task.row
    keras = f'``Dense({nodes}, activation="{activation}")``'
    logits = " or linear, with ``from_logits=True``" * task.loss.takes_logits
    return [
        f"{_sentence(task.problem)}: {activation} and {title}; the GLM is {glm}.",
        "",
        *_items(
            ("Output", keras + logits),
            ("Losses", _listed(f"``{each.name}``" for each in task.losses)),
            ("Targets", _targets(task.domain, task.nodes, nodes)),
            ("Metrics", _listed(f"``{each.name}``" for each in task.metrics)),
        ),
    ]


@text.register
def _(loss: Loss) -> list[str]:
    likelihood = (
        f"the negative log-likelihood of the {loss.likelihood} distribution"
        if loss.likelihood
        else "which belongs to no GLM"
    )
    tasks = [name for name, task in TASKS.items() if loss in task.losses]
    names = [f"``{name}``" for name in (loss.name, *loss.aliases)]
    return [
        f"{_sentence(loss.title)}, {likelihood}.",
        "",
        *_items(
            ("In Keras", f"`keras.losses.{loss.keras_class}`, {_listed(names)}"),
            ("Output", f"{loss.link.activation}, the inverse of the {loss.link.name} link"),
            ("Targets", _targets(loss.domain, None, "C" if not loss.domain.by_node else "k")),
            ("Tasks", _listed(f"``{name}``" for name in tasks)),
        ),
    ]


@text.register
def _(link: Link) -> list[str]:
    return [f"{_sentence(link.name)} link: its inverse is {link.activation}, {link.kind.value}."]


@text.register
def _(domain: Domain) -> list[str]:
    return [f"{_sentence(_targets(domain, None, 'C' if not domain.by_node else 'k'))}."]


@text.register
def _(table: dict) -> list[str]:  # type: ignore[type-arg]
    values = list(table.values())
    if values and isinstance(values[0], Task):
        heads = "name", "problem", "nodes", "activation", "loss", "GLM"
        rows = [(f"``{name}``", *task.row) for name, task in table.items()]
        return ["All tasks by name.", "", *_table(heads, rows)]
    if values and isinstance(values[0], Loss):
        heads = "name", "loss", "output activation", "likelihood"
        rows = [
            (f"``{name}``", loss.title, loss.link.activation, loss.likelihood or "of no GLM")
            for name, loss in table.items()
        ]
        return ["All losses by their name in Keras.", "", *_table(heads, rows)]
    return []


def _targets(domain: Domain, nodes: int | None, letter: str) -> str:
    return domain.text((None, nodes)).removeprefix("targets that are ").replace(OPEN, letter)


def _sentence(words: str) -> str:
    first = words.split()[0]
    return words if len(first) == 1 else words[0].upper() + words[1:]  # a formula stays


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _items(*pairs: tuple[str, str]) -> list[str]:
    return [f"- {name}: {value}" for name, value in pairs]


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (heads, *rows):
        lines += [f"   {'-' if place else '* -'} {cell}" for place, cell in enumerate(row)]
    # The first cell of a row opens its list, the others are indented below it.
    return [line.replace("   - ", "     - ", 1) for line in lines]
