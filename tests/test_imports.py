"""What may import what, and what is loaded when: TensorFlow only where a model is."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from conftest import ROOT

import nnloss
from nnloss import _quiet
from nnloss.__main__ import COMMANDS
from nnloss.errors import LabError

SOURCE = ROOT / "src" / "nnloss"
#: What each package may import beside `errors` and the helpers `_files`, `_keras`, `_tensorflow`.
ARROWS = {
    "table": "",
    "likelihoods": "table",
    "runs": "",
    "datasets": "table",
    "plots": "",
    "quiz": "",
    "pairing": "table",
    "training": "table pairing runs datasets",
    "course": "table likelihoods datasets runs",
    "theory": "table likelihoods datasets runs training",
    "reproduction": "table datasets runs training course",
    "report": "table runs plots course reproduction",
    "commandline": "runs",
    "labs": "commandline course datasets plots runs training",
}
HELPERS = {"errors", "_files", "_keras", "_tensorflow"}
NO_TENSORFLOW = ("table", "datasets", "runs", "likelihoods", "quiz", "plots")


def imported(path: Path) -> Iterator[str]:
    """Yield the part of nnloss that each import of a file names, wherever in the file it is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            # Whatever is imported from nnloss itself is a part of it or one of its public names.
            names = (
                [f"nnloss.{each.name}" for each in node.names]
                if node.module == "nnloss"
                else [str(node.module)]
            )
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            assert package not in {"exercises", "benchmarks", "tests"}, f"{path} imports {name}"
            if package == "nnloss":
                yield rest.partition(".")[0]


def files() -> Iterator[tuple[str, Path]]:
    """Yield each source file below the command line, with the part of nnloss it belongs to."""
    for path in SOURCE.rglob("*.py"):
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if path.name != "command.py" and not part.startswith("_"):
            yield part, path


def test_imports_go_one_way():
    found = {
        f"{path.relative_to(SOURCE)} imports {name}"
        for part, path in files()
        for name in imported(path)
        if name not in {part, *HELPERS, *ARROWS.get(part, "").split()}
    }
    assert found == set()


def test_each_package_has_its_arrows_and_none_too_many():
    used: dict[str, set[str]] = {}
    for part, path in files():
        used.setdefault(part, set()).update(set(imported(path)) - HELPERS - {part})
    del used["errors"]
    assert used == {part: set(names.split()) for part, names in ARROWS.items()}


def test_the_top_of_the_package_shows_its_packages_and_little_else():
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages == set(ARROWS) - {"likelihoods"}
    assert len(list(SOURCE.glob("*.py"))) <= 8


LABS = [
    path.stem
    for path in sorted((ROOT / "exercises").glob("[!_]*.py"))
    if "nnloss.lab(" in path.read_text(encoding="utf-8")
]
EXERCISES = [
    f"exercises.{path.stem}"
    for path in (ROOT / "exercises").glob("[!_]*.py")
    if path.stem not in LABS
]
LIGHT = [
    *(
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        for part, path in files()
        if part in NO_TENSORFLOW and path.name != "__init__.py"
    ),
    *"""
    nnloss nnloss.__main__ nnloss.course nnloss.course.published nnloss.pairing.saved nnloss.report
    nnloss.report.html nnloss.reproduction nnloss.reproduction.comparisons
    nnloss.reproduction.verdicts nnloss.theory nnloss.theory.claims
    """.split(),
]


def test_tensorflow_is_not_loaded_by_what_needs_no_model(python):
    code = f"""
import sys
from importlib import import_module
for name in {[*LIGHT, *EXERCISES]}:
    import_module(name)
    loaded = {{'tensorflow', 'keras'}} & set(sys.modules)
    assert not loaded, (name, loaded)
print("none")
"""
    ended = python("-c", code)
    assert ended.stdout.strip() == "none", ended.stderr


@pytest.mark.parametrize("name", LABS)
def test_a_lab_is_run_and_not_imported(name):
    with pytest.raises(LabError) as found:
        import_module(f"exercises.{name}")
    assert str(found.value) == (
        f"'exercises.{name}' is a lab, to be run and not imported; found an import. Run python -m "
        f"exercises.{name}, or import nnloss.course for what the labs share."
    )


SLOW = "tensorflow keras scipy.stats statsmodels sklearn joblib matplotlib jinja2".split()
HEAVY = [*SLOW, "numpy", "pandas", "scipy"]


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        ("--help", HEAVY),
        ("check --help", HEAVY),
        ("quiz --help", HEAVY),
        ("quiz --list", HEAVY),
        ("losses --help", SLOW),
        ("reproduce --help", SLOW),
    ],
)
def test_a_command_that_computes_nothing_imports_nothing_to_compute_with(
    python, arguments, without
):
    code = f"""
import sys
from nnloss.__main__ import app
from nnloss.commandline import status
print(status(app), {{*{without}}} & {{*sys.modules}}, file=sys.stderr)
"""
    ended = python("-c", code, *arguments.split())
    assert ended.stderr.split() == ["0", "set()"]
    assert len(ended.stdout.splitlines()) > 5


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_first_line_of_each(name):
    package, line = COMMANDS[name]
    command = importlib.import_module(f"nnloss.{package}.command")
    assert command.main.__doc__.partition("\n")[0] == line


def test_without_a_command_the_help_is_all_that_is_printed(python):
    ended = python("-m", "nnloss")
    assert (ended.returncode, ended.stderr) == (2, "")
    assert all(name in ended.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("backup", "nnloss.training.backup"),
        ("encoding", "nnloss.table.encoding"),
        ("ensembles", "nnloss.training.many_seeds"),
        ("models", "nnloss.training.models"),
        ("paired", "nnloss.reproduction.comparisons"),
        ("progress", "nnloss.training.progress"),
        ("published", "nnloss.course.published"),
        ("records", "nnloss.runs.record"),
        ("verdicts", "nnloss.reproduction.verdicts"),
    ],
)
def test_a_module_of_version_0_1_is_found_with_a_warning(old, new, monkeypatch):
    module = importlib.import_module(new)
    with pytest.warns(DeprecationWarning, match=f"nnloss.{old} is now {new}"):
        assert getattr(nnloss, old) is module
    monkeypatch.delitem(sys.modules, f"nnloss.{old}", raising=False)
    with pytest.warns(DeprecationWarning, match=f"nnloss.{old} is now {new}"):
        imported = importlib.import_module(f"nnloss.{old}")
    assert {name: getattr(imported, name) for name in vars(module) if name[0] != "_"} == {
        name: value for name, value in vars(module).items() if name[0] != "_"
    }
    monkeypatch.delattr(nnloss, old)


def test_an_error_of_version_0_1_is_found_with_a_warning():
    with pytest.warns(DeprecationWarning, match="nnloss.OutputError is now nnloss.errors.Folder"):
        assert nnloss.OutputError is nnloss.FolderError


def test_a_name_of_the_table_can_be_used_without_tensorflow(python):
    code = "import sys, nnloss\nprint(nnloss.BINARY.activation, 'tensorflow' in sys.modules)"
    assert python("-c", code).stdout.split() == ["sigmoid", "False"]


@pytest.mark.parametrize("name", nnloss.__all__)
def test_every_public_name_is_there(name):
    assert getattr(nnloss, name) is not None
    assert name in dir(nnloss)


def test_another_name_is_not():
    with pytest.raises(AttributeError, match="No nnloss attribute compile"):
        nnloss.compile  # noqa: B018


FIRST = """
body = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, "relu")])
model = nnloss.compile_for_task(body, nnloss.REGRESSION)
model.fit(keras.ops.ones((8, 2)), keras.ops.ones((8, 1)), verbose=0)
print(type(model).__name__)
"""


@pytest.mark.parametrize(
    "order",
    [
        "import nnloss, keras",
        "import nnloss, tensorflow, keras",
        "import nnloss\nfrom nnloss import compile_for_task\nimport keras",
    ],
)
def test_the_import_of_tensorflow_after_nnloss_is_quiet(python, order, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    ended = python("-c", order + FIRST)
    assert (ended.stdout, ended.stderr) == ("TaskModel\n", "")


def test_the_import_of_nnloss_after_keras_works_and_adds_no_line(python, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    ended = python("-c", "import keras, nnloss" + FIRST)
    assert ended.stdout == "TaskModel\n"
    lines = ended.stderr.encode().splitlines()
    assert [line for line in lines if not _quiet.NOTE.match(line)] == []


def test_what_is_no_note_is_passed_on(python):
    code = (
        "import sys, importlib.util, os\n"
        "from nnloss import _quiet\n"
        "with _quiet.without_notes():\n"
        "    os.write(2, b'I0000 00:00:1.5 7 port.cc:153] a note\\nsomething else\\n')\n"
    )
    assert python("-c", code).stderr == "something else\n"
