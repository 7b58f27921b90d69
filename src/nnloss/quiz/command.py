"""The command ``nnloss quiz``: questions and answers in a terminal."""

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nnloss import commandline as cli
from nnloss.commandline import heading, paragraph, table
from nnloss.quiz.memory import choose, recall, remember
from nnloss.quiz.question_file import read_questions
from nnloss.quiz.questions import Question, of_topic

Topic = Annotated[str | None, cli.option("Ask about this topic only.", "TOPIC")]
Count = Annotated[int, cli.option("Questions to ask, at most.", "N", cli.whole_number(1))]
Seed = Annotated[
    int | None,
    cli.option(
        "Seed of the order. Default: a different order each time.",
        "N",
        cli.whole_number(0, 2**32 - 1),
    ),
]
Listed = Annotated[bool, typer.Option("--list", help="Print all questions with their answers.")]
File = Annotated[Path | None, cli.option("A file with questions of your own.", "FILE")]

QUESTIONS = Path(__file__).with_name("questions.toml")
PROMPT = "answer (? for a hint, enter to skip, q to stop): "
TRIES = 5  # lines read per question, so that endless input ends

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
    """Print the answer with its reason and proof."""
    paragraph(f"The answer is {question.solution}")
    show(question.reason)
    if question.proof:
        print("\nTo check it in Python:\n")
        print("\n".join(f"    {line}".rstrip() for line in question.program.splitlines()))


# An answer
#
# Input that is not a valid answer does not count; the prompt is repeated.


class Stopped(Exception):
    """Raised when no more answers will come."""


def read(prompt: str) -> str:
    """Read a line, and print it if it comes from a pipe."""
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
    return text


def answer(question: Question) -> Any:
    """Read lines until one is a valid answer; return None for a skipped question."""
    paragraph(f"Give {question.expected}.")
    for _ in range(TRIES):
        text = read(PROMPT)
        if not text:
            return None
        if text.lower() == "q":
            raise Stopped("Stopped.")
        if text == "?":
            paragraph(f"Hint: {question.hint or 'there is none for this question.'}")
            continue
        given = question.parse(text)
        if given is not None:
            return given
        paragraph(f"Not understood. Give {question.expected}.")
    return None


# The score


def report(results: list[tuple[Question, bool]]) -> None:
    """Print the score, also by topic, and the questions to repeat."""
    if not results:
        paragraph("No question was answered.")
        return
    import pandas as pd

    right = sum(each for _, each in results)
    heading(f"{right} of {len(results)} right, {right / len(results):.0%}")
    topics = pd.DataFrame(
        {"topic": question.topic, "asked": 1, "right": int(each)} for question, each in results
    )
    table(topics.groupby("topic", as_index=False).sum())
    again = [question.id for question, each in results if not each]
    if again:
        paragraph("These come first the next time:")
        print("\n".join(f"    {name}" for name in again))


# Run everything in this order


def main(
    topic: Topic = None,
    count: Count = 10,
    seed: Seed = None,
    list_: Listed = False,
    out: cli.Out = Path("runs"),
    file: File = None,
) -> None:
    """Answer exam questions on losses, output activations and likelihoods."""
    questions = of_topic(read_questions(file or QUESTIONS), topic)
    if list_:
        for question in questions:
            heading(f"{question.id} ({question.topic})")
            pose(question)
            explain(question)
        return
    cli.require_folder(out)
    memory = out / "quiz.json"
    past = recall(memory)
    chosen = choose(questions, past, count, seed)
    wrong = {name for name, each in past.items() if each.wrong_last}
    before = sum(question.id in wrong for question in chosen)
    paragraph(f"{len(chosen)} of {len(questions)} questions.")
    if before:
        paragraph(f"{before} of these you answered wrongly last time.")
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):  # invalid bytes make a wrong answer, not a crash
            stream.reconfigure(errors="replace")

    results: list[tuple[Question, bool]] = []
    for number, question in enumerate(chosen, 1):
        heading(f"Question {number} of {len(chosen)}: {question.topic}")
        pose(question)
        try:
            given = answer(question)
        except Stopped as reason:
            paragraph(str(reason))
            break
        right = given is not None and question.is_right(given)
        remember(memory, question, right)
        results.append((question, right))
        print("\nSkipped." if given is None else "\nRight." if right else "\nWrong.")
        explain(question)
    report(results)
