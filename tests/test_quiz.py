"""The quiz: its file, its judgement, its memory, its dialogue, and that each answer is proved."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from conftest import ROOT
from filelock import FileLock
from light_sweep import until

from nnloss import DataError, FolderError, NnlossError
from nnloss.quiz import command
from nnloss.quiz.memory import Past, choose, recall, remember
from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import of_topic

FILE = ROOT / "src" / "nnloss" / "quiz" / "questions.toml"
QUESTIONS = read_questions(FILE)
KINDS = ("choice", "true_false", "match", "order", "number", "blank")
TOPICS = {
    "pairing", "likelihood", "gradients", "compile", "parameters", "training-loop", "data",
    "evaluation",
}  # fmt: skip
PROMPT = "answer (? for a hint, enter to skip, q to stop): "

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
    assert len(QUESTIONS) >= 44
    assert {question.kind for question in QUESTIONS} == set(KINDS)
    topics = Counter(question.topic for question in QUESTIONS)
    assert topics.keys() == TOPICS
    assert min(topics.values()) >= 5
    assert sum(bool(question.proof) for question in QUESTIONS) >= 25
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
    answers = "".join(f"{solution(question)}\n" for question in chosen)
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


def test_wrong_and_skipped_ones_come_again(quiz, small, tmp_path):
    wrong = {
        "pick": "a", "truth": "", "pairs": "1b 2a", "steps": "a b c", "count": "1", "size": "-0.5",
        "fill": "mse",
    }  # fmt: skip
    order = [each.id for each in choose(read_questions(small), {}, 10, 1)]
    text = "".join(f"{wrong[name]}\n" for name in order)
    done = quiz("--file", str(small), "--seed", "1", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 of 7 questions." in done.stdout
    assert "2 of 7 right, 29%" in done.stdout
    assert done.stdout.count("\nWrong.\n") == 4
    assert done.stdout.count("\nSkipped.\n") == 1
    assert "│ one   │     3 │     0 │" in done.stdout
    assert "│ two   │     4 │     2 │" in done.stdout
    again = [name for name in order if name not in ("pairs", "size")]
    assert done.stdout.endswith(
        "These come first the next time:\n" + "".join(f"    {name}\n" for name in again)
    )
    second = quiz("--file", str(small), "--count", "5", text="q\n")
    assert "5 of 7 questions.\n5 of these you answered wrongly last time.\n" in second.stdout
    assert "Stopped.\nNo question was answered.\n" in second.stdout
    assert memory_of(tmp_path / "runs")["truth"] == {"asked": 1, "right": 0, "wrong_last": True}


def test_what_is_printed_for_an_answer(quiz, small, tmp_path):
    small.write_text(SMALL[: SMALL.index("[[question]]\nid = \"truth\"")])  # fmt: skip
    done = quiz("--file", str(small), text="?\nperhaps\nb\n")
    assert done.stdout == (
        "1 of 1 questions.\n\nQuestion 1 of 1: one\nWhich?\n\na) this\nb) that\nc) neither\n\n"
        f"Give one of a, b, c.\n{PROMPT}?\nHint: Not this.\n{PROMPT}perhaps\n"
        f"Not understood. Give one of a, b, c.\n{PROMPT}b\n\nRight.\nThe answer is b) that\n"
        "It is that.\n\nTo check it in Python:\n\n    answer = 'b'\n    assert answer == 'b'\n\n"
        + done.stdout[done.stdout.index("1 of 1 right, 100%") :]
    )
    assert memory_of(tmp_path / "runs")["pick"]["asked"] == 1


def test_code_of_a_question_is_printed_as_it_stands(quiz, small):
    done = quiz("--file", str(small), "--topic", "one", "--list")
    assert "Fill in.\n\n    loss  =  ____\n" in done.stdout


def test_the_input_may_end_early(quiz, small, tmp_path):
    done = quiz("--file", str(small), "--seed", "1", text="\n\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{PROMPT}\nThe input has ended.\n" in done.stdout
    assert "0 of 2 right, 0%" in done.stdout
    assert len(memory_of(tmp_path / "runs")) == 2


def test_an_input_without_end_comes_to_the_end(quiz, small):
    done = quiz("--file", str(small), "--topic", "two", text="perhaps?\n" * 21)
    assert done.returncode == 0
    assert "0 of 4 right, 0%" in done.stdout
    assert "The input has ended" not in done.stdout


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
        "Error: The topic must be one of compile, data, evaluation, gradients, likelihood, "
        "pairing, parameters, training-loop; found 'cooking'. Choose one of these, or leave "
        "--topic out."
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
    command = [sys.executable, "-m", "exercises.quiz", "--file", str(small), "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=child, stdout=child, stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "dumb"}, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    try:
        seen = ""
        for answered in range(2):
            while seen.count(PROMPT) <= answered:
                seen += os.read(parent, 4096).decode()
            os.write(parent, b"\n")
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
