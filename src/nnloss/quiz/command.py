"""The command ``nnloss quiz``: questions and answers in a terminal."""

import re
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from nnloss import commandline as cli
from nnloss.commandline import heading, paragraph, table
from nnloss.errors import NnlossError
from nnloss.quiz.marks import Result, by_topic
from nnloss.quiz.memory import choose, mixed, recall, remember
from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import Question, of_topic, topics

Out = Annotated[
    Path, cli.option("Folder for what the quiz remembers (quiz.json).", "DIR", cli.folder)
]

QUESTIONS = Path(__file__).with_name("questions.toml")
COUNT = 10
MINUTES = 1.5  # suggested for a question of an exam
TRIES = 5  # answers to a question that may be unclear
LINES = 1000  # lines read per question, so that endless input ends

PROMPT = "answer (? for a hint, enter to skip, q to stop): "
GO_ON = "enter to go on, p for the proof, q to stop: "
EXAM_PROMPT = "answer (enter to skip, q to hand in): "
NO_HINTS = "There are no hints in an exam."
REASONS = "enter for the reasons, p for proofs too, q to end: "

Topic = Annotated[
    str | None,
    cli.option(f"Ask about this topic only: {topics(read_questions(QUESTIONS))}.", "TOPIC"),
]
Count = Annotated[
    int | None,
    cli.option(f"Questions to ask, at most. Default: {COUNT}.", "N", cli.whole_number(1)),
]
Exam = Annotated[
    int | None,
    cli.option(
        "Take an exam of N questions from all topics: timed, no hints, marks at the end.",
        "N",
        cli.whole_number(1),
    ),
]
Seed = Annotated[
    int | None,
    cli.option(
        "Seed of the order. Default: a different order each time.",
        "N",
        cli.whole_number(0, 2**32 - 1),
    ),
]
Listed = Annotated[bool, cli.flag("--list", "Print all questions with their answers.")]
File = Annotated[Path | None, cli.option("A file with questions of your own.", "FILE")]


# A question


def show(text: str) -> None:
    """Print text: paragraphs are wrapped, indented code blocks are not."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
        if number:
            print()
        if block.startswith("    "):
            print(block.rstrip())
        else:
            paragraph(block)


def pose(question: Question) -> None:
    """Print a question with its items and options."""
    show(question.question)
    for names, texts in (
        (question.numbers, question.items),
        (question.letters, question.options),
    ):
        if texts:
            print()
        for name, text in zip(names, texts, strict=True):
            paragraph(f"{name}) {text}")
    print()


def explain(question: Question) -> None:
    """Print the answer with its reason."""
    paragraph(f"The answer is {question.solution}")
    show(question.reason)


def prove(question: Question) -> None:
    """Print the proof of the answer."""
    if not question.proof:
        paragraph("There is no proof for this question.")
        return
    print("\nTo check it in Python:\n")
    print("\n".join(f"    {line}".rstrip() for line in question.program.splitlines()))


# An answer
#
# Input that is not a valid answer does not count; the prompt is repeated.


class Stopped(Exception):
    """Raised when no more answers will come."""


def read(prompt: str) -> str:
    """Read a line, and print it if it comes from a pipe; raise Stopped for q or at the end."""
    if sys.stdin is None:  # closed by the shell
        raise Stopped("There is no input.")
    print(prompt, end="", flush=True)  # input() may print the prompt to standard error
    try:
        text = input().strip()
    except EOFError:
        print()
        raise Stopped("The input has ended.") from None
    except KeyboardInterrupt:
        print()
        raise
    if not sys.stdin.isatty():
        print(text)
    if text.lower() == "q":
        raise Stopped("Stopped.")
    return text


def answer(question: Question, prompt: str, hint: str) -> Any:
    """Read lines until one is a valid answer; return None for a skipped question.

    Neither hints nor unclear answers count as wrong; the question is skipped after too many.
    """
    paragraph(f"Give {question.expected}.")
    unclear = 0
    for _ in range(LINES):
        text = read(prompt)
        if not text:
            break
        if text == "?":
            paragraph(hint)
            continue
        given = question.parse(text)
        if given is not None:
            return given
        unclear += 1
        if unclear == TRIES:
            break
        paragraph(f"Not understood. Give {question.expected}.")
    return None


# A quiz and an exam


def ask(question: Question, title: str, memory: Path, prompt: str, hint: str) -> Result:
    """Ask a question and remember whether the answer is right; a skipped one is not remembered."""
    heading(f"{title}: {question.topic}")
    pose(question)
    result = Result(question, answer(question, prompt, hint))
    if not result.skipped:
        remember(memory, question, result.right)
    return result


def practise(chosen: list[Question], memory: Path) -> None:
    """Ask questions, explain each at once, and print the score."""
    results: list[Result] = []
    try:
        for number, question in enumerate(chosen, 1):
            title = f"Question {number} of {len(chosen)}"
            hint = f"Hint: {question.hint or 'there is none for this question.'}"
            results.append(ask(question, title, memory, PROMPT, hint))
            print(f"\n{results[-1].verdict}.")
            explain(question)
            if read(GO_ON).lower() == "p":
                prove(question)
    except Stopped as reason:
        paragraph(str(reason))
    answered = [each for each in results if not each.skipped]
    if not answered:
        paragraph("No question was answered.")
        return
    score(results, len(answered))
    again = [each.question.id for each in answered if each.wrong]
    if again:
        paragraph("These come first the next time:")
        print("\n".join(f"    {name}" for name in again))


def examine(chosen: list[Question], memory: Path) -> None:
    """Ask questions, then print the marks, the time, and the right answers."""
    suggested = f"{MINUTES * len(chosen):g} minutes"
    paragraph(
        f"An exam of {len(chosen)} questions, without hints. The answers come at the end. "
        f"Suggested time: {suggested}, {60 * MINUTES:g} s a question."
    )
    results: list[Result] = []
    start, seen = time.monotonic(), 0
    try:
        for seen, question in enumerate(chosen, 1):
            title = f"Question {seen} of {len(chosen)}"
            results.append(ask(question, title, memory, EXAM_PROMPT, NO_HINTS))
            if results[-1].skipped:
                print("Skipped.")
    except Stopped as reason:
        paragraph(str(reason))
    seconds = time.monotonic() - start
    if all(each.skipped for each in results):
        paragraph("No question was answered.")
        return
    results += [Result(question, None) for question in chosen[len(results) :]]
    score(results, len(results))
    paragraph(
        f"You took {seconds / 60:.1f} minutes, {seconds / seen:.0f} s a question; "
        f"{suggested} were suggested."
    )
    review(results)


def score(results: list[Result], most: int) -> None:
    """Print the number of right answers out of the possible ones, and the counts by topic."""
    right = sum(each.right for each in results)
    heading(f"{right} of {most} right, {right / most:.0%}")
    table(by_topic(results))


def review(results: list[Result]) -> None:
    """Print the questions that are not right with their answers, and offer the reasons."""
    missed = [(number, each) for number, each in enumerate(results, 1) if not each.right]
    if not missed:
        return
    heading("Wrong or skipped")
    for number, each in missed:
        paragraph(f"{number}. {each.question.id}")
        paragraph(each.said)
        paragraph(f"The answer is {each.question.solution}")
        print()
    if any(each.wrong for each in results):
        paragraph("The wrong ones come first in the next quiz.")
    try:
        proofs = read(REASONS).lower() == "p"
    except Stopped:
        return
    for number, each in missed:
        question = each.question
        heading(f"Question {number}: {question.topic}")
        pose(question)
        paragraph(each.said)
        explain(question)
        if proofs:
            prove(question)


# Run everything in this order


def main(
    topic: Topic = None,
    count: Count = None,
    exam: Exam = None,
    seed: Seed = None,
    list_: Listed = False,
    out: Out = Path("runs"),
    file: File = None,
) -> None:
    """Answer exam questions on losses, output activations and likelihoods.

    Example: python -m nnloss quiz --topic likelihood --count 5
    """
    given = {"--count": count, "--exam": exam, "--list": list_}
    found = [name for name, value in given.items() if value]
    if len(found) > 1:
        raise NnlossError(
            f"Only one of {', '.join(given)} may be given",
            f"found {' and '.join(found)}",
            "Keep one of them",
        )
    questions = of_topic(read_questions(file or QUESTIONS), topic)
    if list_:
        for question in questions:
            heading(f"{question.id} ({question.topic})")
            pose(question)
            explain(question)
            prove(question)
        return
    cli.require_folder(out)
    memory = out / "quiz.json"
    past = recall(memory)
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):  # invalid bytes make a wrong answer, not a crash
            stream.reconfigure(errors="replace")
    if exam:
        examine(mixed(questions, exam, seed), memory)
        return
    chosen = choose(questions, past, count or COUNT, seed)
    paragraph(f"{len(chosen)} of {len(questions)} questions.")
    before = sum(question.id in past and past[question.id].wrong_last for question in chosen)
    if before:
        paragraph(f"{before} of these you answered wrongly last time.")
    practise(chosen, memory)
