"""Memory of past answers, and the choice of questions."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nnloss._files import create_folder, read_file, replacing
from nnloss.errors import FolderError
from nnloss.quiz.questions import Question

#: Seconds to wait for another process that holds the lock.
PATIENCE = 10

_LOG = logging.getLogger("nnloss")


@dataclass(frozen=True)
class Past:
    """Past answers to a question: counts, and whether the last one was wrong."""

    asked: int = 0
    right: int = 0
    wrong_last: bool = False


def recall(path: Path) -> dict[str, Past]:
    """Return past answers by question id; a damaged file is renamed and logged.

    Creates the folder, so that a read-only one raises `FolderError` before the first question.
    """
    with _locked(path):
        return _read(path)


def remember(path: Path, question: Question, right: bool) -> None:
    """Add an answer to the memory file, under its lock.

    Raises `FolderError` and keeps the old memory if it cannot be written.
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
    """Return up to `count` questions: last answered wrongly first, then new ones, then the others.

    Each group is shuffled with `seed`; None shuffles differently each time.
    """
    shuffled = random.Random(seed).sample(questions, len(questions))
    return sorted(shuffled, key=lambda question: _rank(memory.get(question.id)))[:count]


def mixed(questions: list[Question], count: int, seed: int | None) -> list[Question]:
    """Return up to `count` questions, taken from the topics in turn.

    Topics and their questions are shuffled with `seed`; None shuffles differently each time.
    """
    shuffled = random.Random(seed).sample(questions, len(questions))
    before: Counter[str] = Counter()
    rounds: dict[str, int] = {}
    for question in shuffled:
        rounds[question.id] = before[question.topic]
        before[question.topic] += 1
    return sorted(shuffled, key=lambda question: rounds[question.id])[:count]


def _rank(past: Past | None) -> int:
    if past is None:
        return 1
    return 0 if past.wrong_last else 2


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    create_folder(path.parent)
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=PATIENCE)
    try:
        held = lock.acquire()
    except Timeout as error:
        raise FolderError(
            f"'{path}' must not be locked by another process",
            f"another program has held '{lock.lock_file}' for {PATIENCE} s",
            "End that program, or choose another folder with --out",
        ) from error
    with held:
        yield


def _read(path: Path) -> dict[str, Past]:
    """Read the memory; the caller holds the lock."""
    if not path.exists():
        return {}
    try:
        content = json.loads(read_file(path))
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested too deeply
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
