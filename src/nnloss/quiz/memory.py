"""What a quiz remembers of the answers, and which questions come next because of it."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nnloss._files import create_folder, replacing
from nnloss.errors import FolderError
from nnloss.quiz.questions import Question

#: Seconds to wait for another quiz that writes its answer.
PATIENCE = 10

_LOG = logging.getLogger("nnloss")


@dataclass(frozen=True)
class Past:
    """What is remembered of a question.

    Parameters
    ----------
    asked, right : int
        How often it was asked, and how often answered rightly.
    wrong_last : bool
        Whether the last answer was not right.
    """

    asked: int = 0
    right: int = 0
    wrong_last: bool = False


def recall(path: Path) -> dict[str, Past]:
    """Read what is remembered; a damaged file is set aside, and a line of the log says so.

    Parameters
    ----------
    path : Path
        The memory, a JSON file; without it nothing is remembered. Its folder is created, so that
        one that cannot be written to is found before the first question.

    Returns
    -------
    dict of str to Past
        By id of the question.

    Raises
    ------
    FolderError
        If the folder cannot be created.
    """
    with _locked(path):
        return _read(path)


def remember(path: Path, question: Question, right: bool) -> None:
    """Add an answer to the memory; safe against other quizzes that do the same.

    Parameters
    ----------
    path : Path
        The memory; created if it is not there.
    question : Question
        What was asked.
    right : bool
        Whether the answer was right.

    Raises
    ------
    FolderError
        If it cannot be written; the old memory is as it was.
    """
    with _locked(path):
        memory = _read(path)
        past = memory.get(question.id, Past())
        memory[question.id] = Past(past.asked + 1, past.right + right, not right)
        text = json.dumps({name: asdict(each) for name, each in sorted(memory.items())}, indent=1)
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def choose(
    questions: list[Question], memory: Mapping[str, Past], count: int, seed: int | None
) -> list[Question]:
    """Choose questions: first those with a wrong last answer, then new ones, then the others.

    Parameters
    ----------
    questions : list of Question
        To choose from.
    memory : mapping of str to Past
        By id.
    count : int
        How many at most.
    seed : int or None
        Of the order within each of the three groups; None for another order each time.

    Returns
    -------
    list of Question
        In the order to be asked.
    """
    shuffled = random.Random(seed).sample(questions, len(questions))
    return sorted(shuffled, key=lambda question: _rank(memory.get(question.id)))[:count]


def _rank(past: Past | None) -> int:
    if past is None:
        return 1
    return 0 if past.wrong_last else 2


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with suppress(FileExistsError):
        create_folder(path.parent)
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=PATIENCE)
    try:
        held = lock.acquire()
    except Timeout as error:
        raise FolderError(
            f"'{path}' must be free to be written",
            f"another program has held '{lock.lock_file}' for {PATIENCE} s",
            "End that program, or choose another folder with --out",
        ) from error
    with held:
        yield


def _read(path: Path) -> dict[str, Past]:
    """Read the memory, under the lock."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):  # neither JSON nor UTF-8, or nested without end
        content = None
    if isinstance(content, dict) and all(_is_past(each) for each in content.values()):
        return {name: Past(**each) for name, each in content.items()}
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    _LOG.warning("'%s' is damaged: kept as '%s', and a new memory begun", path, aside.name)
    return {}


def _is_past(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"asked", "right", "wrong_last"}
        and type(value["asked"]) is int
        and type(value["right"]) is int
        and type(value["wrong_last"]) is bool
        and 0 <= value["right"] <= value["asked"]
    )
