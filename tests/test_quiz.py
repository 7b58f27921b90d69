"""The quiz: its file, its judgement, its memory, its dialogue, and that each answer is proved."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from conftest import ROOT
from filelock import FileLock
from light_sweep import until

from nnloss import DataError, FolderError, NnlossError
from nnloss.quiz import command
from nnloss.quiz.memory import Past, choose, mixed, recall, remember
from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import of_topic, topics

FILE = ROOT / "src" / "nnloss" / "quiz" / "questions.toml"
QUESTIONS = read_questions(FILE)
KINDS = ("choice", "true_false", "match", "order", "number", "blank")
TOPICS = {
    "pairing", "likelihood", "gradients", "compile", "parameters", "training-loop", "data",
    "evaluation", "hidden-layers", "landscape",
}  # fmt: skip
PROMPT = "answer (? for a hint, enter to skip, q to stop): "
GO_ON = "enter to go on, p for the proof, q to stop: "
EXAM_PROMPT = "answer (enter to skip, q to hand in): "
REASONS = "enter for the reasons, p for proofs too, q to end: "

# One question of each kind, with right and wrong answers, and what is no answer at all.
SMALL = """
[[question]]
id = "pick"
topic = "one"
kind = "choice"
question = "Which?"
options = ["this", "that", "neither"]
answer = "b"
hint = "Not this."
reason = "It is that."
proof = "assert answer == 'b'"

[[question]]
id = "truth"
topic = "one"
kind = "true_false"
question = "Is it so?"
answer = false
reason = "It is not."

[[question]]
id = "pairs"
topic = "two"
kind = "match"
question = "Which to which?"
items = ["one", "two"]
options = ["deux", "un", "trois"]
answer = "1b 2a"
reason = "French."

[[question]]
id = "steps"
topic = "two"
kind = "order"
question = "In which order?"
options = ["then", "first", "last"]
answer = "b a c"
reason = "So."

[[question]]
id = "count"
topic = "two"
kind = "number"
question = "How many?"
answer = 3009
reason = "Counted."

[[question]]
id = "size"
topic = "two"
kind = "number"
question = "How large?"
answer = -0.5
tolerance = 0.01
reason = "Measured."

[[question]]
id = "fill"
topic = "one"
kind = "blank"
question = '''
Fill in.

    loss  =  ____
'''
answer = ['"bce"', "p - y"]
reason = "Written so."
"""
FIRST, _, _ = SMALL.partition('[[question]]\nid = "truth"')
ANSWERS = {
    "pick": (["b", "B", " (b) ", "b.", "b)"], ["a", "c"], ["d", "ab", "bb", "that", "1"]),
    "truth": (["false", "F", "no", "False."], ["true", "T", "yes", "y"], ["maybe", "0", "tf"]),
    "pairs": (
        ["1b 2a", "2a,1b", "1b2a", "1-B; 2-A", "1) b 2) a"],
        ["1a 2b", "1b 2b", "1c 2a"],
        ["1b", "1b 2a 3c", "1b 2a 2b", "1b 2d", "ba", "1b 2a x"],
    ),
    "steps": (["b a c", "bac", "B, A, C", "b > a > c"], ["a b c", "cab"], ["b a", "b a c c", "x"]),
    "count": (
        ["3009", "3,009", "3 009", "3009.0", "3009,0"],
        ["3008", "3,010", "-3009", "30,09", "3,0090"],
        ["many", "nan"],
    ),
    "size": (["-0.5", "-.5", "-0,505", "\N{MINUS SIGN}0.495"], ["0.5", "-0.48"], ["1/2", "inf"]),
    "fill": (
        ['"bce"', "'BCE'", "bce", 'loss="bce"', "p-y", "p \N{EN DASH} y.", " P  -  Y ", "“bce”"],
        ["mse", "y - p", "p", "loss=mse"],
        [],
    ),
}
WRONG = {name: wrong[0] for name, (_, wrong, _) in ANSWERS.items()}
# Two right answers, four wrong ones, and one question skipped.
MIXED = WRONG | {"pairs": "1b 2a", "size": "-0.5", "truth": "", "count": "1"}


@pytest.fixture
def small(tmp_path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture
def quiz(typed, tmp_path):
    """Run the command, with `text` as its input."""

    def run(*arguments, text="", memory="runs"):
        return typed(command.main, "--out", tmp_path / memory, *arguments, text=text)

    return run


def memory_of(folder: Path) -> dict[str, dict[str, object]]:
    return json.loads((folder / "quiz.json").read_text(encoding="utf-8"))


def solution(question) -> str:
    return question.answer if question.kind == "choice" else question.solution


# ---- The questions


def test_there_are_enough_of_all_kinds_and_topics():
    assert len(QUESTIONS) >= 80
    assert {question.kind for question in QUESTIONS} == set(KINDS)
    topics = Counter(question.topic for question in QUESTIONS)
    assert topics.keys() == TOPICS
    assert min(topics.values()) >= 5
    assert sum(bool(question.proof) for question in QUESTIONS) >= 77
    texts = [" ".join(question.question.split()).lower() for question in QUESTIONS]
    assert len(set(texts)) == len(texts)


def test_the_answers_cannot_be_guessed_from_their_places():
    truths = Counter(each.answer for each in QUESTIONS if each.kind == "true_false")
    assert abs(truths[True] - truths[False]) <= 2
    letters = Counter(each.answer for each in QUESTIONS if each.kind == "choice")
    assert set(letters) == set("abcd")
    assert max(letters.values()) <= 2 * min(letters.values())
    for question in QUESTIONS:
        if question.kind == "order":
            assert question.answer != question.letters
        if question.kind == "match":
            assert list(question.answer.values()) != list(question.letters)[: len(question.items)]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_the_printed_answer_is_right_when_it_is_typed(question):
    assert question.is_right(question.parse(solution(question)))
    for text in (question.question, question.reason, question.hint, *question.options):
        assert text.isascii()  # any terminal can print it


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_code_fits_a_terminal_of_60_columns(question):
    code = [line for line in question.question.splitlines() if line.startswith("    ")]
    code += [f"    {line}" for line in question.program.splitlines()]
    assert [line for line in code if len(line) > 60] == []


def test_a_long_answer_stays_itself_in_the_program():
    (question,) = (each for each in QUESTIONS if each.id == "compile-binary")
    scope: dict[str, object] = {}
    exec(question.program.partition("\nimport")[0], scope)
    assert scope["answer"] == question.answer


def test_the_measured_accuracies_are_those_of_the_committed_run():
    (path,) = ROOT.glob("results/losses/*/pitfalls.csv")
    table = pd.read_csv(path)
    last = table[table["epoch"] == table["epoch"].max()].groupby(["pairing", "bias"])["accuracy"]
    mean = {key: f"{value:.4f}" for key, value in last.mean().items()}
    best = table[table["bias"] == 12].groupby(["pairing", "seed"])["accuracy"].max()
    reach = (best >= 0.97).groupby("pairing").sum()
    seeds = table["seed"].nunique()
    mse, bce = "sigmoid + MSE", "sigmoid + BCE"
    (question,) = (each for each in QUESTIONS if each.id == "sigmoid-with-mse")
    reason = " ".join(question.reason.split())
    assert reason.endswith(
        f"{mse} had a mean test accuracy of {mean[mse, 0]} and {bce} {mean[bce, 0]} ({seeds} seeds "
        "each). Where the network starts sure of the wrong class, the gradient of MSE vanishes: "
        f"{mean[mse, 12]} against {mean[bce, 12]}, and {reach[mse]} of {seeds} seeds reach 0.97 "
        f"instead of {reach[bce]}."
    )


WRONG_BLANKS = {
    "bernoulli-in-one-formula": "(1-p)^y",
    "gradient-of-bce": "y - p",
    "compile-binary": '"mse"',
    "compile-logits": "from_logits=False",
    "compile-median": '"mse"',
    "compile-for-task": "nnloss.BINARY",
    "loop-bce": "y",
    "loop-cce": "p * y",
    "loop-mse": "abs(y - mu)",
    "class-numbers": "(1, -1)",
}
PROVED = [question for question in QUESTIONS if question.proof]


@pytest.mark.parametrize("question", PROVED, ids=lambda question: question.id)
def test_the_proof_holds_and_refutes_another_answer(question):
    run(question)
    for answer in wrong_answers(question):
        with pytest.raises((AssertionError, KeyError, NnlossError, TypeError, ValueError)):
            run(replace(question, answer=answer))


def wrong_answers(question) -> list[object]:
    answer = question.answer
    match question.kind:
        case "choice":
            return [letter for letter in question.letters if letter != answer]
        case "true_false":
            return [not answer]
        case "match":
            letters = list(answer.values())
            return [dict(zip(answer, letters[1:] + letters[:1], strict=True))]
        case "order":
            return [answer[::-1]]
        case "number":
            return [answer + 2 * question.tolerance + 1, -answer - 1]
    return [(WRONG_BLANKS[question.id],)]


def run(question) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what a wrong answer leads to
        exec(compile(question.program, f"the proof of {question.id}", "exec"), {})


# ---- Judging an answer


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_judged_in_any_spelling(small, name):
    (question,) = (each for each in read_questions(small) if each.id == name)
    right, wrong, unclear = ANSWERS[name]
    for text in right:
        assert question.is_right(question.parse(text)), text
    for text in wrong:
        given = question.parse(text)
        assert given is not None, text
        assert not question.is_right(given), text
    for text in ["", *unclear]:
        assert question.parse(text) is None, text


# ---- The file


def changed(old: str, new: str, count: int = 1) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, count)


BAD = {
    "missing answer": (
        changed('answer = "b"\n', ""),
        "Question 'pick' of '{path}' must have 'answer'; found none. Add it.",
    ),
    "missing reason": (
        changed('reason = "It is not."', ""),
        "Question 'truth' of '{path}' must have 'reason'; found none. Add it.",
    ),
    "missing question": (
        changed('question = "Which?"', ""),
        "Question 'pick' of '{path}' must have 'question'; found none. Add it.",
    ),
    "missing id": (
        changed('id = "truth"', ""),
        "Question 2 of '{path}' must have 'id'; found none. Add it.",
    ),
    "empty hint": (
        changed('hint = "Not this."', 'hint = " "'),
        "Question 'pick' of '{path}' needs a text as 'hint'; found ' '. Write one.",
    ),
    "id is a number": (
        changed('id = "truth"', "id = 7"),
        "Question 2 of '{path}' needs a text as 'id'; found 7. Write one.",
    ),
    "topic with markup": (
        changed('topic = "one"', 'topic = "[/b]"'),
        "Question 'pick' of '{path}' needs 'topic' in small letters, digits and single hyphens; "
        "found '[/b]'. Rename it.",
    ),
    "unknown kind": (
        changed('kind = "order"', 'kind = "essay"'),
        "Question 'steps' of '{path}' must be of kind choice, true_false, match, order, number, "
        "blank; found 'essay'. Choose one.",
    ),
    "unknown key": (
        changed('hint = "Not this."', 'hnt = "Not this."'),
        "Question 'pick' of '{path}', of kind 'choice', may have id, topic, kind, question, "
        "reason, answer, hint, proof, options; found 'hnt'. Remove or rename it.",
    ),
    "options of a truth": (
        changed("answer = false", 'answer = false\noptions = ["a", "b"]'),
        "Question 'truth' of '{path}', of kind 'true_false', may have id, topic, kind, question, "
        "reason, answer, hint, proof; found 'options'. Remove or rename it.",
    ),
    "answer not among the options": (
        changed('answer = "b"', 'answer = "d"'),
        "Question 'pick' of '{path}' needs as answer one of a, b, c; found 'd'. Correct the "
        "answer.",
    ),
    "half an order": (
        changed('answer = "b a c"', 'answer = "b a"'),
        "Question 'steps' of '{path}' needs as answer all of a, b, c, in the right order; found "
        "'b a'. Correct the answer.",
    ),
    "half a match": (
        changed('answer = "1b 2a"', 'answer = "1b"'),
        "Question 'pairs' of '{path}' needs as answer a letter for each number, as in 1_ 2_; found "
        "'1b'. Correct the answer.",
    ),
    "truth as text": (
        changed("answer = false", 'answer = "false"'),
        "Question 'truth' of '{path}' needs as answer true or false; found 'false'. Correct the "
        "answer.",
    ),
    "number as truth": (
        changed("answer = 3009", "answer = true"),
        "Question 'count' of '{path}' needs as answer a number; found True. Correct the answer.",
    ),
    "number without an end": (
        changed("answer = 3009", "answer = inf"),
        "Question 'count' of '{path}' needs as answer a number; found inf. Correct the answer.",
    ),
    "negative tolerance": (
        changed("tolerance = 0.01", "tolerance = -1"),
        "Question 'size' of '{path}' needs a tolerance of at least 0; found -1. Give a number.",
    ),
    "blank without a list": (
        changed("""answer = ['"bce"', "p - y"]""", 'answer = "bce"'),
        "Question 'fill' of '{path}' needs a list of the spellings that are right as answer; found "
        "'bce'. Write a list of texts.",
    ),
    "one option": (
        changed('options = ["this", "that", "neither"]', 'options = ["this"]'),
        "Question 'pick' of '{path}' needs from 2 to 8 options; found ['this']. Write a list of "
        "texts.",
    ),
    "no options": (
        changed('options = ["this", "that", "neither"]', ""),
        "Question 'pick' of '{path}' needs from 2 to 8 options; found None. Write a list of texts.",
    ),
    "id twice": (
        changed('id = "truth"', 'id = "pick"'),
        "Each question of '{path}' needs a unique id; found 'pick' twice, the second time in "
        "question 2. Rename one of them.",
    ),
    "question is no table": (
        'question = ["what?"]',
        "Question 1 of '{path}' must have 'id'; found none. Add it.",
    ),
    "nothing": (
        "",
        "The quiz file '{path}' must be a TOML file with tables [[question]]; found no question. "
        "Add one.",
    ),
    "something else": (
        "title = 'mine'\n" + SMALL,
        "The quiz file '{path}' must be a TOML file with tables [[question]]; found 'title'. "
        "Remove it.",
    ),
    "no TOML": (
        "[[question]\n",
        "The quiz file '{path}' must be a TOML file with tables [[question]]; reading it gave: ",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_file_is_refused_with_rule_finding_and_remedy(tmp_path, name):
    text, message = BAD[name]
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_questions(path)
    expected = message.format(path=path)
    assert str(caught.value) == expected or (
        expected.endswith(": ") and str(caught.value).startswith(expected)
    )
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"the system reports: No such file or directory\. Name an ex"
    ):
        read_questions(tmp_path / "none.toml")
    with pytest.raises(DataError, match="the system reports: Is a directory"):
        read_questions(tmp_path)
    (tmp_path / "latin.toml").write_bytes("# é".encode("latin-1"))
    with pytest.raises(DataError, match=r"byte 2 is not UTF-8\. Save it as UTF-8\."):
        read_questions(tmp_path / "latin.toml")


def test_a_pipe_is_neither_questions_nor_memory(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="it is a pipe or device, not a file"):
        read_questions(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a pipe or device, not a file"):
        recall(tmp_path / "pipe")


def test_a_topic_is_taken_or_refused(small):
    questions = read_questions(small)
    assert of_topic(questions, None) == questions
    assert [each.id for each in of_topic(questions, "One")] == ["pick", "truth", "fill"]
    with pytest.raises(NnlossError, match="The topic must be one of one, two; found 'three'"):
        of_topic(questions, "three")


# ---- The memory


def test_wrong_ones_come_first_then_new_ones_then_the_others(small):
    questions = read_questions(small)
    memory = {
        "pick": Past(2, 2, False),
        "truth": Past(1, 0, True),
        "pairs": Past(5, 4, True),
        "steps": Past(1, 1, False),
    }
    orders = {
        tuple(question.id for question in choose(questions, memory, 10, seed)) for seed in range(20)
    }
    assert len(orders) > 5
    for order in orders:
        assert set(order[:2]) == {"truth", "pairs"}
        assert set(order[2:5]) == {"count", "size", "fill"}
        assert set(order[5:]) == {"pick", "steps"}
    assert len(choose(questions, memory, 3, 0)) == 3


def test_a_seed_fixes_the_order_and_without_one_it_varies():
    first, again, other = (choose(QUESTIONS, {}, 10, seed) for seed in (4, 4, 5))
    assert first == again != other
    assert choose(QUESTIONS, {}, 10, None) != choose(QUESTIONS, {}, 10, None)


@pytest.mark.parametrize("count", [1, 7, 10, 23, 1000])
def test_an_exam_is_mixed_as_evenly_as_possible(count):
    available = Counter(each.topic for each in QUESTIONS)
    for seed in range(5):
        chosen = mixed(QUESTIONS, count, seed)
        assert len({each.id for each in chosen}) == len(chosen) == min(count, len(QUESTIONS))
        asked = Counter(each.topic for each in chosen)
        most = max(asked.values())
        assert all(asked[topic] >= min(most - 1, available[topic]) for topic in available)


def test_a_seed_fixes_the_exam_and_without_one_it_varies():
    first, again, other = (mixed(QUESTIONS, 10, seed) for seed in (4, 4, 5))
    assert first == again != other
    assert [each.topic for each in first] != [each.topic for each in other]
    assert mixed(QUESTIONS, 10, None) != mixed(QUESTIONS, 10, None)


def test_answers_are_remembered(small, tmp_path):
    path = tmp_path / "new" / "runs" / "quiz.json"
    question = read_questions(small)[0]
    assert recall(path) == {}
    for right in (False, True, False):
        remember(path, question, right)
    assert recall(path) == {"pick": Past(asked=3, right=1, wrong_last=True)}
    remember(path, question, True)
    assert recall(path) == {"pick": Past(asked=4, right=2, wrong_last=False)}


def test_two_quizzes_at_once_lose_nothing(small, tmp_path):
    path = tmp_path / "quiz.json"
    questions = read_questions(small)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: remember(path, each, True), questions * 20))
    assert recall(path) == {each.id: Past(20, 20, False) for each in questions}


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"[]", b"\xff", b'{"pick": 1}', b'{"pick": {"asked": 1, "right": 0}}',
        b'{"pick": {"asked": 1, "right": 2, "wrong_last": false}}', b"[" * 200_000,
    ],
)  # fmt: skip
def test_a_damaged_memory_is_set_aside(small, tmp_path, caplog, content):
    path = tmp_path / "quiz.json"
    (tmp_path / "quiz.json.damaged-1").write_text("an older one")
    path.write_bytes(content)
    assert recall(path) == {}
    assert not path.exists()
    assert (tmp_path / "quiz.json.damaged-1").read_text() == "an older one"
    assert (tmp_path / "quiz.json.damaged-2").read_bytes() == content
    assert caplog.messages == [
        f"'{path}' is damaged: kept as 'quiz.json.damaged-2', and a new memory begun"
    ]


def test_a_memory_that_another_program_holds_is_told(small, tmp_path, monkeypatch):
    monkeypatch.setattr("nnloss.quiz.memory.PATIENCE", 0.1)
    path = tmp_path / "quiz.json"
    text = "must not be locked by another process; .* held '.*quiz.json.lock' for 0.1 s. End"
    with FileLock(f"{path}.lock"), pytest.raises(FolderError, match=text):
        recall(path)
    assert recall(path) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = " + "[" * 100_000, "it is nested too deeply"),
        (SMALL.replace("3009", "9" * 400), "needs as answer a number; found 999"),
    ],
    ids=["nested", "a number of 400 digits"],
)
def test_a_file_that_overflows_is_refused(small, text, found):
    small.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=found):
        read_questions(small)


# ---- The command


def test_what_a_terminal_cannot_show_is_no_end(quiz, small, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = quiz(
        "--file", str(small), "--topic", "one", text="\N{LATIN SMALL LETTER E WITH ACUTE}\nq\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_quiz_played_to_the_end(quiz, tmp_path):
    chosen = choose(QUESTIONS, {}, 1000, 3)
    answers = "".join(f"{solution(question)}\n\n" for question in chosen)
    done = quiz("--count", "1000", "--seed", "3", text=answers)
    assert (done.returncode, done.stderr) == (0, "")
    n = len(QUESTIONS)
    assert f"{n} of {n} right, 100%" in done.stdout
    assert done.stdout.count("\nRight.\n") == n
    assert f"Question {n} of {n}: {chosen[-1].topic}" in done.stdout
    assert "come first the next time" not in done.stdout
    assert "The input has ended" not in done.stdout
    assert memory_of(tmp_path / "runs") == {
        each.id: {"asked": 1, "right": 1, "wrong_last": False} for each in QUESTIONS
    }


def test_wrong_ones_come_again_and_skipped_ones_are_no_mistake(quiz, small, tmp_path):
    order = [each.id for each in choose(read_questions(small), {}, 10, 1)]
    text = "".join(f"{MIXED[name]}\n\n" for name in order)
    done = quiz("--file", str(small), "--seed", "1", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 of 7 questions." in done.stdout
    assert "2 of 6 right, 33%" in done.stdout
    assert done.stdout.count("\nWrong.\n") == 4
    assert done.stdout.count("\nSkipped.\n") == 1
    assert "│ one   │         3 │     0 │     2 │       1 │" in done.stdout
    assert "│ two   │         4 │     2 │     2 │       0 │" in done.stdout
    again = [name for name in order if name not in ("pairs", "size", "truth")]
    assert done.stdout.endswith(
        "These come first the next time:\n" + "".join(f"    {name}\n" for name in again)
    )
    assert "truth" not in memory_of(tmp_path / "runs")
    second = quiz("--file", str(small), "--count", "5", text="q\n")
    assert "5 of 7 questions.\n4 of these you answered wrongly last time.\n" in second.stdout
    assert "Stopped.\nNo question was answered.\n" in second.stdout


def test_a_skipped_question_changes_no_memory(quiz, small, tmp_path):
    question = read_questions(small)[0]
    remember(tmp_path / "runs" / "quiz.json", question, False)
    before = memory_of(tmp_path / "runs")
    done = quiz("--file", str(small), "--count", "1", text="\n\n")
    assert "Skipped.\n" in done.stdout
    assert done.stdout.endswith("No question was answered.\n")
    assert memory_of(tmp_path / "runs") == before


def test_what_is_printed_for_an_answer(quiz, small, tmp_path):
    small.write_text(FIRST)
    done = quiz("--file", str(small), text="?\nperhaps\nb\np\n")
    assert done.stdout == (
        "1 of 1 questions.\n\nQuestion 1 of 1: one\nWhich?\n\na) this\nb) that\nc) neither\n\n"
        f"Give one of a, b, c.\n{PROMPT}?\nHint: Not this.\n{PROMPT}perhaps\n"
        f"Not understood. Give one of a, b, c.\n{PROMPT}b\n\nRight.\nThe answer is b) that\n"
        f"It is that.\n{GO_ON}p\n\n"
        "To check it in Python:\n\n    answer = 'b'\n    assert answer == 'b'\n\n"
        + done.stdout[done.stdout.index("1 of 1 right, 100%") :]
    )
    assert memory_of(tmp_path / "runs")["pick"]["asked"] == 1


def test_a_proof_is_printed_on_request_only(quiz, small):
    arguments = ("--file", str(small), "--topic", "one", "--seed", "0")
    order = [each.id for each in choose(of_topic(read_questions(small), "one"), {}, 10, 0)]
    for request in ("", "p", "P"):
        text = "".join(f"{MIXED[name]}\n{request}\n" for name in order)
        done = quiz(*arguments, text=text, memory=f"runs{request}")
        assert done.stdout.count("To check it in Python:") == bool(request)
        assert done.stdout.count("There is no proof for this question.") == 2 * bool(request)
        assert "The input has ended" not in done.stdout


def test_a_hint_costs_no_attempt(quiz, small):
    text = "?\n" * 200 + "perhaps\n?\n" * 4 + "b\n\n"
    small.write_text(FIRST)
    done = quiz("--file", str(small), text=text)
    assert done.stdout.count("Hint: Not this.\n") == 204
    assert "1 of 1 right, 100%" in done.stdout


@pytest.mark.parametrize("request_", [[], ["--exam", "7"]], ids=["quiz", "exam"])
@pytest.mark.parametrize("line", ["?", "perhaps!", "p", "1"])
def test_endless_input_comes_to_an_end(quiz, small, monkeypatch, request_, line):
    monkeypatch.setattr(command, "LINES", 20)  # 1000 take a while
    done = quiz("--file", str(small), *request_, text=f"{line}\n" * 1000)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Question 7 of 7" in done.stdout
    assert "The input has ended" not in done.stdout


def test_an_unclear_answer_is_asked_for_again_a_few_times(quiz, small, tmp_path):
    small.write_text(FIRST)
    done = quiz("--file", str(small), text="perhaps\n" * 4 + "b\n\n")
    assert "1 of 1 right, 100%" in done.stdout
    done = quiz("--file", str(small), text="perhaps\n" * 5 + "b\n", memory="other")
    assert "\nSkipped.\n" in done.stdout
    assert not (tmp_path / "other" / "quiz.json").exists()


# ---- The exam


@pytest.fixture
def exam(quiz, small):
    """Run an exam on the small file: one answer for each question, and `last` at the end."""

    def take(answers: dict[str, str], *arguments, last: str = "") -> tuple[str, list[str]]:
        order = [each.id for each in mixed(read_questions(small), 10, 1)]
        text = "".join(f"{answers[name]}\n" for name in order) + last
        done = quiz("--file", str(small), "--exam", "10", "--seed", "1", *arguments, text=text)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout, order

    return take


def test_an_exam_tells_nothing_before_its_end(exam, tmp_path):
    text, order = exam(MIXED)
    questions, marks = text.split("\n2 of 7 right, 29%\n")
    assert questions.startswith(
        "An exam of 7 questions, without hints. The answers come at the end. Suggested time: 10.5 "
    )
    assert questions.count(EXAM_PROMPT) == 7
    for word in ("Right", "Wrong", "The answer is", "reason", "proof", "French", "Hint"):
        assert word not in questions
    assert questions.count("Skipped.\n") == 1
    assert [each["asked"] for each in memory_of(tmp_path / "runs").values()] == [1] * 6
    assert memory_of(tmp_path / "runs")["pick"]["wrong_last"] is True
    assert "│ one   │         3 │     0 │     2 │       1 │" in marks
    assert "│ two   │         4 │     2 │     2 │       0 │" in marks
    for number, name in enumerate(order, 1):
        assert (f"\n{number}. {name}\n" in marks) == (name not in ("pairs", "size"))
    assert ". truth\nSkipped\nThe answer is false\n\n" in marks
    assert ". pick\nYou answered a) this\nThe answer is b) that\n\n" in marks
    assert '. fill\nYou answered mse\nThe answer is "bce"\n\n' in marks
    assert ". steps\nYou answered a b c\nThe answer is b a c\n\n" in marks
    assert ". count\nYou answered 1.0\nThe answer is 3,009\n\n" in marks
    assert marks.endswith(f"The wrong ones come first in the next quiz.\n{REASONS}\n")


def test_the_reasons_and_proofs_of_an_exam_come_on_request(exam):
    without, with_proofs, ended = (exam(MIXED, last=each)[0] for each in ("\n", "p\n", "q\n"))
    for text in (without, with_proofs):
        reasons = text.partition(REASONS)[2]
        for reason in ("It is that.", "It is not.", "So.", "Counted.", "Written so."):
            assert reasons.count(f"\n{reason}\n") == 1
        assert "French." not in reasons  # answered right
        assert "\nWhich?\n\na) this\n" in reasons
        assert "\nYou answered a) this\nThe answer is b) that\n" in reasons
    assert "To check it in Python" not in without
    assert with_proofs.count("To check it in Python") == 1
    assert ended.endswith(f"{REASONS}q\n")


def test_an_exam_without_a_mistake_asks_no_more(exam, small):
    text, _ = exam({each.id: solution(each) for each in read_questions(small)})
    assert "7 of 7 right, 100%" in text
    assert "Wrong or skipped" not in text
    assert REASONS not in text


def test_an_exam_has_no_hints(quiz, small):
    done = quiz("--file", str(small), "--exam", "1", "--topic", "one", text="?\n" * 9)
    assert done.stdout.count("There are no hints in an exam.\n") == 9
    assert "Not this" not in done.stdout


def test_an_exam_tells_the_time(exam, monkeypatch):
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=iter([100.0, 310.0]).__next__))
    text, _ = exam(MIXED)
    assert "\nYou took 3.5 minutes, 30 s a question; 10.5 minutes were suggested.\n" in text


def test_an_exam_that_is_handed_in_early_has_no_marks_for_the_rest(quiz, small, monkeypatch):
    times = iter([0.0, 60.0, 0.0, 60.0])
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=times.__next__))
    first = mixed(read_questions(small), 4, 1)[0]
    text = f"{solution(first)}\nq\n"
    done = quiz("--file", str(small), "--exam", "4", "--seed", "1", text=text)
    assert "1 of 4 right, 25%" in done.stdout
    assert "You took 1.0 minutes, 30 s a question; 6 minutes were suggested." in done.stdout
    assert done.stdout.count("\nSkipped\nThe answer is ") == 3
    assert "The wrong ones" not in done.stdout  # there are none
    done = quiz("--file", str(small), "--exam", "4", text="\nq\n")
    assert done.stdout.endswith("Stopped.\nNo question was answered.\n")


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--exam", "3", "--list"], "--exam and --list"),
        (["--exam", "3", "--count", "3"], "--count and --exam"),
        (["--count", "3", "--list"], "--count and --list"),
    ],
)
def test_only_one_of_quiz_exam_and_list_can_be_had(quiz, tmp_path, arguments, found):
    assert refused(quiz(*arguments)) == (
        f"Error: Only one of --count, --exam, --list may be given; found {found}. Keep one of them."
    )
    assert not (tmp_path / "runs").exists()


def test_the_help_lists_the_topics(quiz):
    text = " ".join(re.sub(r"[│\s]+", " ", quiz("--help").stdout).split())
    assert f"this topic only: {topics(QUESTIONS)}." in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_an_exam_at_a_terminal_is_complete_at_any_width(tmp_path, width):
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {name: text for name, text in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "exercises.quiz", "--exam", "3", "--seed", "2", "--out", tmp_path],
        cwd=ROOT, stdin=child, stdout=child, stderr=child, start_new_session=True,
        env={**environment, "TERM": "xterm"},
    )  # fmt: skip
    os.close(child)
    try:
        seen = ""
        prompts = [EXAM_PROMPT] * 3 + [REASONS]
        chosen = mixed(QUESTIONS, 3, 2)
        for prompt, said in zip(prompts, [solution(chosen[0]), "", "", "p"], strict=True):
            while not seen.endswith(prompt):
                seen += os.read(parent, 4096).decode()
            os.write(parent, f"{said}\n".encode())
        with suppress(OSError):  # the process has closed its end
            while True:
                seen += os.read(parent, 4096).decode()
        assert process.wait(60) == 0
    finally:
        process.kill()
        os.close(parent)
    seen = re.sub(r"\x1b\[[0-9;]*m", "", seen).replace("\r", "")
    lines = seen.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in seen
    words = " ".join(seen.split())
    assert "┃ topic ┃ questions ┃ right ┃ wrong ┃ skipped ┃" in words
    for question in chosen[1:]:
        assert " ".join(question.reason.split()) in words
        for line in question.program.splitlines():
            assert f"    {line}".rstrip() in lines


def test_code_of_a_question_is_printed_as_it_stands(quiz, small):
    done = quiz("--file", str(small), "--topic", "one", "--list")
    assert "Fill in.\n\n    loss  =  ____\n" in done.stdout


def test_the_input_may_end_early(quiz, small, tmp_path):
    first, second = choose(read_questions(small), {}, 2, 1)
    text = f"{solution(first)}\n\n{solution(second)}\n"
    done = quiz("--file", str(small), "--seed", "1", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{GO_ON}\nThe input has ended.\n" in done.stdout
    assert "2 of 2 right, 100%" in done.stdout
    assert len(memory_of(tmp_path / "runs")) == 2
    done = quiz("--file", str(small), text="")
    assert f"{PROMPT}\nThe input has ended.\nNo question was answered.\n" in done.stdout


def test_an_input_that_is_no_text_is_no_answer(small, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "exercises.quiz", "--file", str(small), "--out", str(tmp_path)],
        cwd=ROOT, input=b"\xff\xfe\n", capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"The input has ended." in done.stdout


def test_the_list_has_all_of_it_and_writes_nothing(quiz, tmp_path):
    done = quiz("--list")
    assert (done.returncode, done.stderr) == (0, "")
    text = "".join(done.stdout.split())  # lines are wrapped, after hyphens too
    for question in QUESTIONS:
        said = (question.question, *question.items, *question.options, question.reason)
        for part in (f"{question.id} ({question.topic})", *said):
            assert "".join(part.split()) in text
        assert "".join(f"The answer is {question.solution}".split()) in text
        for line in question.program.splitlines():
            assert f"    {line}".rstrip() + "\n" in done.stdout
    assert PROMPT not in done.stdout
    assert not (tmp_path / "runs").exists()
    few = quiz("--list", "--topic", "data").stdout
    assert "one-hot (data)" in few
    assert "why-bce (likelihood)" not in few


def test_the_list_loads_no_tensorflow(python, tmp_path):
    code = (
        "import sys\nfrom exercises.quiz import main\nmain(list_=True)\n"
        "print(sorted({'tensorflow', 'keras', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    assert python("-c", code).stderr.strip() == "[]"


def refused(done) -> str:
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def test_an_unknown_topic_is_one_line(quiz, tmp_path):
    line = refused(quiz("--topic", "cooking"))
    assert line == (
        "Error: The topic must be one of compile, data, evaluation, gradients, hidden-layers, "
        "landscape, likelihood, pairing, parameters, training-loop; found 'cooking'. Choose one "
        "of these, or leave --topic out."
    )
    assert not (tmp_path / "runs").exists()


def test_a_file_with_a_missing_answer_is_one_line(quiz, small, tmp_path):
    small.write_text(BAD["missing answer"][0])
    line = refused(quiz("--file", str(small)))
    assert line == f"Error: Question 'pick' of '{small}' must have 'answer'; found none. Add it."
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "0"], "'--count': it must be a whole number of at least 1; found '0'"),
        (["--seed", "x"], "'--seed': it must be a whole number from 0 to 4294967295; found 'x'"),
        (["--file", "nowhere.toml"], "The quiz file 'nowhere.toml' must be a TOML file with"),
        (["--file", "README.md"], "reading it gave: "),
        (["--out", "LICENSE"], "The output folder 'LICENSE' must be a folder that can be written"),
        (["--out", "/proc/nnloss"], "The output folder '/proc/nnloss' must be a folder that can"),
    ],
)
def test_a_wrong_option_is_one_line(quiz, arguments, message):
    assert message in refused(quiz(*arguments))


def test_a_damaged_memory_is_said_in_one_line(quiz, small, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quiz.json").write_text("{")
    done = quiz("--file", str(small), text="q\n")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.endswith("quiz.json' is damaged: kept as 'quiz.json.damaged-1', and a new memory "
                         "begun")  # fmt: skip
    assert (tmp_path / "runs" / "quiz.json.damaged-1").read_text() == "{"


def test_ctrl_c_at_a_terminal_keeps_the_answers(small, tmp_path):
    parent, child = pty.openpty()
    arguments = ["--file", str(small), "--seed", "1", "--out", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "exercises.quiz", *arguments], cwd=ROOT,
        stdin=child, stdout=child, stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "dumb"}, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    try:
        seen = ""
        for question in choose(read_questions(small), {}, 2, 1):
            for prompt, said in ((PROMPT, WRONG[question.id]), (GO_ON, "")):
                while not seen.endswith(prompt):
                    seen += os.read(parent, 4096).decode()
                os.write(parent, f"{said}\n".encode())
        while seen.count(PROMPT) < 3:
            seen += os.read(parent, 4096).decode()
        # A signal between Python's last look for one and its read is not seen until another comes.
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING, "it reads")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
    finally:
        process.kill()
        os.close(parent)
    assert errors == b"Interrupted.\n"
    assert len(memory_of(tmp_path)) == 2
    assert all(each["wrong_last"] for each in memory_of(tmp_path).values())
