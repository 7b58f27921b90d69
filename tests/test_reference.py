"""The API reference: every public name is in it once, and has an example."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from typing import Any

import pytest
from conftest import ROOT

import nnloss
from nnloss import likelihoods
from nnloss.errors import NnlossError

PAGES = sorted((ROOT / "docs" / "reference").glob("*.rst"))
# The command lines are documented by their --help.
PACKAGES = [
    f"nnloss.{path.parent.name}"
    for path in sorted((ROOT / "src" / "nnloss").glob("*/__init__.py"))
    if path.parent.name != "commandline"
]
OBJECTS = re.compile(
    r"^\.\. (?:auto(?:class|data|exception|function|module)|currentmodule):: (\S+)"
)


def documented() -> list[str]:
    """Return the full names in the directives of all pages, except those of ``currentmodule``."""
    names = []
    for page in PAGES:
        module = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := OBJECTS.match(line):
                name = found[1]
                if "currentmodule" in line:
                    module = name
                else:
                    names.append(name if name.startswith("nnloss.") else f"{module}.{name}")
    return names


def public() -> list[str]:
    """Return the full names of what packages export; under that of the top where that has it."""
    names = [f"nnloss.{name}" for name in nnloss.__all__]
    for package in PACKAGES:
        module = importlib.import_module(package)
        names += [f"{package}.{name}" for name in module.__all__ if name not in nnloss.__all__]
    return names


def test_each_public_name_is_in_the_reference_once():
    wanted, found = public(), Counter(documented())
    assert not {name for name in wanted if not found[name]}
    assert not {name for name, times in found.items() if times > 1}


def test_the_index_has_each_name_of_the_top_once():
    text = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
    names = re.findall(r"^   (\w+)$", text, flags=re.MULTILINE)
    assert sorted(names) == sorted(nnloss.__all__)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "docs" / "_inventories").iterdir()), ids=lambda file: file.stem
)
def test_names_of_other_projects_are_still_theirs(file):
    _, _, _, *entries = file.read_text(encoding="utf-8").splitlines()
    for entry in entries:
        name, _, _ = entry.split()
        pkgutil.resolve_name(name if "." in name else f"builtins.{name}")


def called() -> list[Any]:
    """Return the functions and classes that a user calls; errors are raised by them."""
    objects = [getattr(module, name) for module in (nnloss, likelihoods) for name in dir(module)]
    return [
        each
        for each in objects
        if (inspect.isfunction(each) or inspect.isclass(each))
        and each.__module__.startswith("nnloss")
        and not each.__name__.startswith("_")
        and not (inspect.isclass(each) and issubclass(each, NnlossError))
    ]


@pytest.mark.parametrize("each", called(), ids=lambda each: each.__name__)
def test_what_a_user_calls_has_an_example(each):
    assert "\n    >>> " in (each.__doc__ or "")
