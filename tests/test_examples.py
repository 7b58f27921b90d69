"""The examples of the documentation: their code runs and keeps its promise."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT, assert_in_range, code_of

from nnloss._tensorflow import keras

TEXT = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
COMMON, *EXAMPLES = code_of(TEXT)
NAMES = re.findall(r"^## (.+)", TEXT, flags=re.MULTILINE)


@pytest.fixture(autouse=True)
def _progress_bars():
    yield
    keras.utils.enable_interactive_logging()


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")  # by Keras, for each dataset
@pytest.mark.parametrize("code", EXAMPLES, ids=NAMES)
def test_the_example_keeps_its_promise(code, capsys):
    names: dict[str, object] = {}
    exec(COMMON, names)
    exec(code, names)
    assert_in_range(capsys.readouterr().out.splitlines()[-1], code)
