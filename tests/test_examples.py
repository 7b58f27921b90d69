"""The pages of the documentation: their code keeps its promises, their commands exist.

The Python blocks before the first section (``##``) of a page run before those of each section.
These run in order and know nothing of other sections. A block promises what it prints: in the
``text`` block that follows it, word by word, or, for the last line, by a comment such as
``# 0.95 to 1``. A hundred seeds are cut to seven. A ``text`` block after a shell command has lines
of its output.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from itertools import pairwise

import pytest
from conftest import ROOT, assert_in_range

from nnloss._tensorflow import keras

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.md"))
    if not {"_build", "labs"} & set(path.relative_to(DOCS).parts)
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)

Blocks = list[tuple[str, str | None]]


def blocks(text: str, language: str) -> Blocks:
    """Return the blocks in a language, each with the text block that comes next, if one does."""
    found = [*BLOCK.findall(text), ("", "")]
    return [
        (code, after if kind == "text" else None)
        for (each, code), (kind, after) in pairwise(found)
        if each == language
    ]


def examples() -> dict[str, Blocks]:
    """Return the Python blocks to run together, by page and section."""
    found = {}
    for page, text in PAGES.items():
        first, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
        common = blocks(first, "python")
        own = {part.partition("\n")[0]: blocks(part, "python") for part in sections}
        found |= {f"{page}: {name}": common + each for name, each in own.items() if each}
        if common and not any(own.values()):
            found[page] = common
    return found


EXAMPLES = examples()


def test_all_examples_are_found():
    for page, text in PAGES.items():
        assert text.count("```python") == len(blocks(text, "python")), page
    assert {"examples.md: tf.data", "table.md: Row by row"} <= EXAMPLES.keys()
    assert any(promised for each in EXAMPLES.values() for _, promised in each)


@pytest.fixture
def _in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session()  # names are counted from the beginning
    yield
    keras.utils.enable_interactive_logging()


@pytest.mark.usefixtures("_in_a_folder_of_its_own")
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")  # by Keras, for each dataset
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_the_example_keeps_its_promise(example, capsys):
    names: dict[str, object] = {"__name__": "example"}
    for code, promised in example:
        exec(code.replace("range(100)", "range(7)"), names)
        printed = capsys.readouterr().out
        if promised is not None:
            assert printed.split() == promised.split()
        elif re.search(r"# [\d.]+ to [\d.]+$", code, flags=re.MULTILINE):
            assert_in_range(printed.splitlines()[-1], code)
    for name in [name for name in names if name.startswith("test_")]:
        names[name]()


def code_of_shell(text: str) -> list[str]:
    """Return lines that may be commands: of other blocks than Python, indented, or in backticks."""
    lines = [
        line
        for language, block in BLOCK.findall(text)
        if language not in ("python", "text")
        for line in block.splitlines()
    ]
    rest = BLOCK.sub("", text)
    return lines + re.findall(r"^ {4}(.+)$", rest, re.MULTILINE) + re.findall(r"`([^`]+)`", rest)


COMMAND = re.compile(
    r"(?:- run: )?(?:\w+=\S+ )*(?:uv run )?(?:--\S+ \S+ )*"
    r"(?:python -m ((?:nnloss|exercises|benchmarks|notebooks)[.\w]*)|nnloss)(?![.\w])([^#|]*)"
)


def commands() -> dict[str, set[str]]:
    """Return the project's commands on all pages with the options that they are given."""
    found: dict[str, set[str]] = {}
    for text in PAGES.values():
        for part in "&&".join(code_of_shell(text)).split("&&"):
            if command := COMMAND.match(part.strip()):
                name, words = command[1] or "nnloss", command[2].split()
                if name == "nnloss" and words:
                    name += f" {words[0]}"
                options = {word.partition("=")[0] for word in words if word.startswith("--")}
                if not name.endswith("NAME"):  # any of several commands
                    found.setdefault(name, set()).update(options)
    return found


COMMANDS = commands()


def test_the_commands_of_each_kind_are_found():
    assert {"nnloss check", "exercises.boston", "exercises.reproduce"} <= COMMANDS.keys()
    assert "--scheduler" in COMMANDS["exercises.reproduce"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_has_the_options_that_it_is_given(command, python):
    module, *words = command.split()
    assert importlib.util.find_spec(module), module
    if words or COMMANDS[command]:
        done = python("-m", module, *words, "--help")
        assert done.returncode == 0, done.stderr
        known = set(re.findall(r"--[a-z-]+", done.stdout))
        assert known >= COMMANDS[command]


OUTPUTS = {
    f"{page}: {code.strip()}": (code, promised)
    for page, text in PAGES.items()
    for code, promised in blocks(text, "sh")
    if promised
}


def words_and_numbers(line: str) -> tuple[list[str], list[float]]:
    """Return the words and the numbers of a line, without the rules of a table."""
    words = re.sub("[─-╿]", " ", line).replace(",", "").split()
    numbers = [word for word in words if re.fullmatch(r"-?\d+(\.\d+)?%?", word)]
    return [word for word in words if word not in numbers], [
        float(number.rstrip("%")) for number in numbers
    ]


@pytest.mark.slow
@pytest.mark.parametrize("code", OUTPUTS)
def test_the_command_prints_what_the_page_shows(code, python, tmp_path):
    """Each line in order; numbers up to a tenth, because other processors round otherwise."""
    line, promised = OUTPUTS[code]
    arguments = shlex.split(line)
    done = python(*arguments[arguments.index("python") + 1 :], "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    printed = iter(map(words_and_numbers, done.stdout.splitlines()))
    for shown in promised.splitlines():
        words, numbers = words_and_numbers(shown)
        assert any(
            (words, len(numbers)) == (others, len(values))
            and values == pytest.approx(numbers, rel=0.1)
            for others, values in printed
        ), shown
