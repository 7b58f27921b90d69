"""Reading and validation of quiz question files."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

from nnloss.errors import DataError
from nnloss.quiz.questions import MOST_OPTIONS, Question

_TEXTS = ("id", "topic", "kind", "question", "reason")
_OPTIONAL_TEXTS = ("hint", "proof")
# Additional keys of each kind of question.
_KINDS: dict[str, tuple[str, ...]] = {
    "choice": ("options",),
    "true_false": (),
    "match": ("items", "options"),
    "order": ("options",),
    "number": ("tolerance",),
    "blank": (),
}
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_questions(path: Path) -> list[Question]:
    """Read a TOML file of questions.

    Parameters
    ----------
    path : Path
        File with one table ``[[question]]`` per question.

    Returns
    -------
    list of Question
        In the order of the file.

    Raises
    ------
    DataError
        If the file cannot be read or has no question, or if a question is incomplete or
        inconsistent.

    Examples
    --------
    Those of ``nnloss quiz``:

    >>> from importlib.resources import files
    >>> from nnloss.quiz import read_questions
    >>> questions = read_questions(files("nnloss.quiz") / "questions.toml")
    >>> len(questions) > 50, questions[0].kind, questions[0].topic
    (True, 'match', 'pairing')
    """
    rule = f"The quiz file '{path}' must be a TOML file with tables [[question]]"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            rule,
            f"the system reports: {error.strerror or error}",
            "Name an existing file in --file",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(rule, f"byte {error.start} is not UTF-8", "Save it as UTF-8") from error
    except RecursionError as error:
        raise DataError(rule, "it is nested too deeply", "Correct it there") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(rule, f"reading it gave: {error}", "Correct it there") from error
    entries = content.pop("question", None)
    if content:
        raise DataError(rule, f"found '{next(iter(content))}'", "Remove it")
    if not isinstance(entries, list) or not entries:
        raise DataError(rule, "found no question", "Add one")
    questions: dict[str, Question] = {}
    for place, entry in enumerate(entries, 1):
        question = _build(entry, place, path)
        if question.id in questions:
            raise DataError(
                f"Each question of '{path}' needs a unique id",
                f"found '{question.id}' twice, the second time in question {place}",
                "Rename one of them",
            )
        questions[question.id] = question
    return list(questions.values())


def _build(entry: Any, place: int, path: Path) -> Question:
    entry = entry if isinstance(entry, dict) else {}
    name = f"'{entry['id']}'" if isinstance(entry.get("id"), str) else f"{place}"
    whose = f"Question {name} of '{path}'"

    for key in (*_TEXTS, "answer"):
        if key not in entry:
            raise DataError(f"{whose} must have '{key}'", "found none", "Add it")
    for key in (*_TEXTS, *_OPTIONAL_TEXTS):
        value = entry.get(key, "none")
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"{whose} needs a text as '{key}'", f"found {value!r}", "Write one")
    for key in ("id", "topic"):
        if not _SLUG.fullmatch(entry[key]):
            raise DataError(
                f"{whose} needs '{key}' in small letters, digits and single hyphens",
                f"found '{entry[key]}'",
                "Rename it",
            )
    kind = entry["kind"]
    if kind not in _KINDS:
        kinds = ", ".join(_KINDS)
        raise DataError(f"{whose} must be of kind {kinds}", f"found '{kind}'", "Choose one")
    known = (*_TEXTS, "answer", *_OPTIONAL_TEXTS, *_KINDS[kind])
    for key in entry:
        if key not in known:
            raise DataError(
                f"{whose}, of kind '{kind}', may have {', '.join(known)}",
                f"found '{key}'",
                "Remove or rename it",
            )
    for key in ("items", "options"):
        if key in _KINDS[kind]:
            rule = f"{whose} needs from 2 to {MOST_OPTIONS} {key}"
            _require_texts(entry.get(key), rule, 2, MOST_OPTIONS)
    tolerance = entry.get("tolerance", 0)
    if not _is_number(tolerance) or tolerance < 0:
        raise DataError(
            f"{whose} needs a tolerance of at least 0", f"found {tolerance!r}", "Give a number"
        )
    lists = {key: tuple(entry[key]) for key in ("items", "options") if key in entry}
    return Question(**(entry | lists | {"answer": _answer(entry, lists, whose)}))


def _answer(entry: dict[str, Any], lists: dict[str, tuple[str, ...]], whose: str) -> Any:
    """Check the answer of an entry and return it in the form of `Question.answer`."""
    given, kind = entry["answer"], entry["kind"]
    if kind == "blank":
        _require_texts(given, f"{whose} needs a list of the spellings that are right as answer")
        return tuple(given)
    if kind == "true_false" and isinstance(given, bool):
        return given
    if kind == "number" and _is_number(given):
        return given
    question = Question(**(entry | lists))
    if kind in ("choice", "match", "order") and isinstance(given, str):
        answer = question.parse(given)
        if answer is not None:
            return answer
    raise DataError(
        f"{whose} needs as answer {question.expected}", f"found {given!r}", "Correct the answer"
    )


def _require_texts(given: Any, rule: str, least: int = 1, most: float = math.inf) -> None:
    if (
        not isinstance(given, list)
        or not least <= len(given) <= most
        or not all(isinstance(text, str) and text.strip() for text in given)
    ):
        raise DataError(rule, f"found {given!r}", "Write a list of texts")


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) < 10**300 and math.isfinite(value)  # longer integers do not fit a float
