"""What is loaded when: TensorFlow only where a model is."""

from __future__ import annotations

import pytest

import nnloss

EXERCISES = [f"exercises.{name}" for name in ("boston", "cifar10", "wafer", "losses", "quiz")]
LIGHT = """
    __main__ claims datasets encoding likelihoods paired pairing.saved published questionfile
    questions quiz records report seedtable single_run table verdicts
""".split()


@pytest.mark.parametrize("module", ["nnloss", *(f"nnloss.{name}" for name in LIGHT), *EXERCISES])
def test_tensorflow_is_not_loaded_by(module, python):
    code = f"import sys, {module}\nprint(sorted({{'tensorflow', 'keras'}} & set(sys.modules)))"
    assert python("-c", code).stdout.strip() == "[]"


def test_a_name_of_the_table_can_be_used_without_tensorflow(python):
    code = "import sys, nnloss\nprint(nnloss.BINARY.activation, 'tensorflow' in sys.modules)"
    assert python("-c", code).stdout.split() == ["sigmoid", "False"]


@pytest.mark.parametrize("name", nnloss.__all__)
def test_every_public_name_is_there(name):
    assert getattr(nnloss, name) is not None
    assert name in dir(nnloss)


def test_another_name_is_not():
    with pytest.raises(AttributeError, match="module 'nnloss' has no attribute 'compile'"):
        nnloss.compile  # noqa: B018


def test_the_import_of_tensorflow_is_quiet_and_what_is_no_note_is_passed_on(python):
    code = (
        "import sys, importlib.util, os\n"
        "from nnloss import _keras\n"
        "with _keras.without_notes():\n"
        "    os.write(2, b'I0000 00:00:1.5 7 port.cc:153] a note\\nsomething else\\n')\n"
    )
    assert python("-c", code).stderr == "something else\n"
