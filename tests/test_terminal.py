"""What is printed is complete in a terminal of any width, and elsewhere."""

from __future__ import annotations

import importlib
import io
import logging
import re
from contextlib import redirect_stdout
from itertools import chain
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from nnloss import EpochProgress, check_pairing
from nnloss import commandline as cli
from nnloss.__main__ import COMMANDS
from nnloss._tensorflow import keras

WIDTHS = (60, 80, 200)
LOG = "Task 'multiclass': added Dense(10, activation='softmax'); loss categorical_crossentropy; " \
    "optimizer Adam; metrics accuracy; 10,994 parameters"  # fmt: skip


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=WIDTHS)
def width(request, monkeypatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("TERM", "xterm-256color")
    return int(request.param)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


# Tables

word = st.text(st.sampled_from("abcXYZ0123[]/:-'é"), min_size=1, max_size=11)
words = st.lists(word, min_size=1, max_size=5).map(" ".join)
numbers = [
    st.integers(-(10**9), 10**9),
    st.floats(-1e9, 1e9),
    st.floats(0, 1).map("{:.4f}".format),
    st.tuples(st.integers(-999, 999), st.floats(0, 99)).map("{0[0]} to {0[1]:.2f}".format),
]


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Frames with a column of names and up to nine others."""
    rows = draw(st.integers(0, 5))
    columns = [words, *draw(st.lists(st.sampled_from([words, *numbers]), max_size=9))]
    texts = [
        pd.Series(draw(st.lists(each, min_size=rows, max_size=rows)), dtype=object)
        for each in columns
    ]
    frame = pd.concat(texts, axis=1)
    return frame.set_axis(draw(st.lists(words, min_size=len(texts), max_size=len(texts))), axis=1)


def tables(lines: list[str]) -> list[list[tuple[str, str]]]:
    """Return the header and the words below it of each column, for each printed table."""
    found: list[list[tuple[list[str], list[str]]]] = []
    for line in lines:
        if line.startswith("┏"):
            found.append([([], []) for _ in line.split("┳")])
        elif line[0] in "┃│":
            for column, cell in zip(found[-1], re.split("[┃│]", line)[1:-1], strict=True):
                column[line[0] == "│"].extend(cell.split())
    return [[(" ".join(header), " ".join(cells)) for header, cells in each] for each in found]


def texts(frame: pd.DataFrame) -> list[list[str]]:
    """Return the texts of a frame by column, with six significant digits."""
    return [
        [f"{value:#.6g}" if isinstance(value, float) else str(value) for value in frame.iloc[:, n]]
        for n in range(frame.shape[1])
    ]


@settings(deadline=None, max_examples=100)
@given(frame=frames(), columns=st.integers(40, 200))
def test_a_table_is_complete_at_any_width(frame, columns):
    with mock.patch.dict("os.environ", COLUMNS=str(columns)), redirect_stdout(io.StringIO()) as out:
        cli.table(frame, "a title that is longer than the narrowest terminal")
    title, *lines = re.split("\n(?=┏)", out.getvalue(), maxsplit=1)
    assert title.split() == "a title that is longer than the narrowest terminal".split()
    assert max(map(cell_len, [*title.splitlines(), *lines[0].splitlines()])) <= columns
    printed = tables(lines[0].splitlines())
    expected = [
        (name, " ".join(column)) for name, column in zip(frame.columns, texts(frame), strict=True)
    ]
    assert all(part[0] == expected[0] for part in printed)
    assert list(dict.fromkeys(chain(*printed))) == list(dict.fromkeys(expected))
    for number in filter(re.compile(r"-?[\d.]+( to -?[\d.]+)?").fullmatch, chain(*texts(frame))):
        assert f" {number} " in lines[0]


def test_a_table_that_does_not_fit_repeats_the_columns_that_tell_its_rows_apart(
    monkeypatch, capsys
):
    monkeypatch.setenv("COLUMNS", "60")
    rows = [(model, rows, 22.0, 4.7, 8889.1, 3.3) for model in ("linear regression", "network")
            for rows in ("train", "test")]  # fmt: skip
    cli.table(pd.DataFrame(rows, columns="model rows MSE RMSE SSE MAE".split()))
    first, second = tables(capsys.readouterr().out.splitlines())
    assert [name for name, _ in first] == ["model", "rows", "MSE", "RMSE"]
    assert [name for name, _ in second] == ["model", "rows", "SSE", "MAE"]


def test_the_first_column_is_enough_where_more_leave_no_room(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    names = {f"name {n}": ["abcdefghijk"] * 2 for n in range(3)}
    cli.table(pd.DataFrame(names | {"name 3": ["left", "right"], "number": ["1.2345"] * 2}))
    printed = tables(capsys.readouterr().out.splitlines())
    assert all(part[0] == ("name 0", "abcdefghijk abcdefghijk") for part in printed)
    assert printed[-1][-1] == ("number", "1.2345 1.2345")


@pytest.mark.parametrize("columns", [40, 60])
def test_a_word_that_is_longer_than_the_terminal_is_not_lost(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    cli.table(pd.DataFrame({"name": ["x" * 70], "number": [1.5]}))
    text = capsys.readouterr().out
    assert text.count("x") == 70
    assert "1.50000" in text
    assert max(map(len, text.splitlines())) <= columns


def test_without_a_terminal_a_table_has_100_columns(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    cli.table(pd.DataFrame({f"a column {n}": ["1.0000"] for n in range(9)}))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6  # one table with a folded header
    assert 80 < len(lines[0]) <= 100


def test_markup_is_text(capsys):
    cli.table(pd.DataFrame({"[b]a[/b]": ["[red]x[/red] :smile:"]}), "[i]t[/i]")
    text = capsys.readouterr().out
    assert all(each in text for each in ("[i]t[/i]", "[b]a[/b]", "[red]x[/red] :smile:"))


def test_an_empty_table_prints_nothing(capsys):
    cli.table(pd.DataFrame())
    assert capsys.readouterr().out == ""


# Text


def test_a_paragraph_breaks_between_words_and_never_in_a_path(width, capsys):
    path = Path("runs") / ("a-folder-with-hyphens" * 4) / "20261128T064652-b9c799"
    cli.paragraph(f"Everything that the run leaves is saved in {path} for the next time.")
    lines = capsys.readouterr().out.splitlines()
    assert f"{path}" in " ".join(lines).split()
    assert all(len(line) <= width or line == str(path) for line in lines)


def test_the_end_of_an_exercise_has_each_path_whole(width, capsys):
    folders = {"MSE": Path("my runs") / ("x" * 60), "MAE": Path("runs/boston/2026-1")}
    figure, command = folders["MAE"] / "losses.png", "python -m exercises.boston --edition 2024"
    cli.closing(folders, figure, command)
    assert capsys.readouterr().out.splitlines() == [
        "",
        "Results",
        "Run 'MSE':",
        f"    {folders['MSE']}",
        "Run 'MAE':",
        f"    {folders['MAE']}",
        "To open first:",
        f"    {figure}",
        "To run next:",
        f"    {command}",
    ]


def test_the_end_of_an_exercise_may_be_the_runs_alone(capsys):
    cli.closing({"cce": Path("runs")})
    assert capsys.readouterr().out.split() == ["Results", "Run", "'cce':", "runs"]


def test_a_quick_run_says_so(lab, tmp_path):
    done = lab("boston", "--quick", "--out", tmp_path)
    assert "\nQuick run: 5 of 100 epochs; its numbers mean little.\n" in done.stdout


# The log


@pytest.fixture
def log(monkeypatch):
    """Return what the log of a command writes to a terminal or to a file."""

    def write(stream: io.StringIO) -> list[str]:
        monkeypatch.setattr("sys.stderr", stream)
        logger = logging.Logger("nnloss")
        with mock.patch("logging.getLogger", return_value=logger):
            cli.log_to_terminal()
        logger.info(LOG)
        return stream.getvalue().splitlines()

    return write


def test_a_line_of_the_log_is_wrapped_in_a_terminal(width, log):
    first, *others = log(Terminal())
    assert max(map(len, [first, *others])) <= width
    assert bool(others) == (width < len(LOG))
    assert all(line.startswith("    ") for line in others)
    assert " ".join(line.strip() for line in [first, *others]) == LOG


def test_elsewhere_it_stays_one_line(width, log):
    assert log(io.StringIO()) == [LOG]


@pytest.mark.parametrize("title", ["Network on MSE", "augmented network"])
def test_progress_is_complete(title, width, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with EpochProgress(title) as progress:
        progress.set_params({"epochs": 100})
        progress.on_train_begin()
        progress.on_epoch_end(99, {"loss": 0.0123456, "val_loss": 123.456})
    last = title + plain(stream.getvalue()).replace("\r", "\n").split(title)[-1]
    assert "epoch 100/100" in last
    assert "loss 0.01235" in last
    assert "val_loss 123.5" in last
    assert "0:00:00" in last
    assert "…" not in last
    assert all(len(line) <= width for line in last.splitlines())


# Help


def mains() -> dict[str, object]:
    packages = {name: f"nnloss.{package}.command" for name, (package, _) in COMMANDS.items()}
    return {name: importlib.import_module(each).main for name, each in packages.items()}


@pytest.mark.parametrize("name", mains())
def test_help_is_complete(name, width, typed):
    main = mains()[name]
    done = typed(main, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= width
    assert "…" not in done.stdout
    assert not re.search("<(bool|str|path|list)", done.stdout)
    told = " ".join(re.sub("[╭╮╰╯│─]", " ", done.stdout).split())
    for each in typer.main.get_command(cli.application(main)).params:
        assert all(option in told for option in (*each.opts[:1], *each.secondary_opts))
    assert " Other --help Show this message and exit." in told


@pytest.mark.parametrize("name", mains())
def test_help_has_an_example_that_the_command_understands(name, typed):
    main = mains()[name]
    (line,) = re.findall(r"Example: python -m nnloss (.*)", main.__doc__)
    given, *arguments = line.split()
    command = typer.main.get_command(cli.application(main))
    assert given == name
    assert command.make_context(name, arguments).params


def test_the_options_of_a_lab_are_in_groups(width, lab):
    done = lab("boston", "--help")
    assert max(map(len, done.stdout.splitlines())) <= width
    groups = re.findall(r"^╭─ (\w+) ─", done.stdout, re.MULTILINE)
    assert groups == ["Training", "Course", "Files", "Other"]
    assert re.search(r"Example: python -m \S+ --loss both", " ".join(done.stdout.split()))


# The report of a model


def test_the_report_of_a_model_is_wrapped(width, typed, tmp_path):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="binary_crossentropy")
    model.save(tmp_path / "model.keras")
    done = typed(mains()["check"], tmp_path / "model.keras")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert min(width, 100) - 20 < max(map(len, lines)) <= min(width, 100)
    assert " ".join(done.stdout.split()) == " ".join(str(check_pairing(model)).split())
