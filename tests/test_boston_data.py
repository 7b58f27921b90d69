"""The Boston data: the right rows, in the right split, and nothing else."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from conftest import ROOT
from sklearn.linear_model import LinearRegression

from nnloss import DataError, likelihoods, load_boston

FILE = ROOT / "data" / "boston_housing.csv"
REMEDY = (
    "Replace boston_housing.csv by the original, whose origin and checksum data/README.md gives"
)


def test_rows_and_split(split):
    assert split.x_train.shape == (404, 13)
    assert split.x_test.shape == (102, 13)
    assert split.y_train.shape == (404,)
    assert split.y_test.shape == (102,)
    assert split.sizes == {"train": 404, "test": 102}
    assert (split.x_train[0, 0], split.x_train[0, -1], split.y_train[0]) == (1.23247, 18.72, 15.2)
    assert split.features[0] == "CRIM"
    assert split.x_train.dtype == split.y_train.dtype == np.float64


def test_checksums(split):
    assert split.sha256 == "04ea3ed0aa63691cfedf388349eafc1213e91e00f8e4d31747534692c0f1ce02"
    assert split.arrays_sha256 == "832e894115c56dd24ec63848d4a3d9bd921d268d0be1bee2a8f4ee5ea318f5f7"
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert split.sha256 in text
    assert split.arrays_sha256 in text


def test_row_numbers_lead_back_to_the_file(split):
    lines = FILE.read_text().splitlines()[1:]
    assert sorted([*split.rows_train, *split.rows_test]) == list(range(506))
    for x, y, row in zip(split.x_test, split.y_test, split.rows_test, strict=True):
        assert [float(cell) for cell in lines[row].split(",")] == [*x, y]


def test_the_published_linear_regression(split):
    model = LinearRegression().fit(split.x_train, split.y_train)
    predicted = model.predict(split.x_test)
    mse = likelihoods.mean_squared_error(split.y_test, predicted)
    mae = likelihoods.mean_absolute_error(split.y_test, predicted)
    assert mse == pytest.approx(23.1955992564, abs=1e-8)
    assert mae == pytest.approx(3.4641858124, abs=1e-8)


@pytest.fixture
def folder(tmp_path):
    """Make a data folder with the file, to be spoilt."""
    (tmp_path / "boston").mkdir()
    shutil.copy(FILE, tmp_path / "boston")
    return tmp_path


def test_a_named_folder_is_used(folder, monkeypatch, split):
    given = load_boston(folder)
    assert np.array_equal(given.x_train, split.x_train)
    assert given.source == "boston/boston_housing.csv in the folder given by --data-dir"
    monkeypatch.setenv("NNLOSS_DATA", str(folder))
    assert load_boston().source == "boston/boston_housing.csv in the folder given by NNLOSS_DATA"
    monkeypatch.delenv("NNLOSS_DATA")
    assert load_boston().source == "boston_housing.csv, packaged with nnloss"


def test_the_argument_goes_before_the_environment(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("NNLOSS_DATA", str(tmp_path / "nowhere"))
    assert load_boston(folder).source.endswith("given by --data-dir")


def test_the_text_may_be_written_otherwise(folder, split):
    path = folder / "boston" / FILE.name
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").replace(b'"', b""))
    given = load_boston(folder)
    assert given.arrays_sha256 == split.arrays_sha256
    assert given.sha256 != split.sha256


def change_line(number, edit):
    def spoil(path):
        lines = path.read_text().splitlines()
        lines[number] = edit(lines[number])
        path.write_text("\n".join(lines) + "\n")

    return spoil


def drop_column(path):
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()))


def drop_last_line(path):
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))


def become_folder(path):
    path.unlink()
    path.mkdir()


def become_pipe(path):
    path.unlink()
    os.mkfifo(path)


# how the file is spoilt, and what the message says of it
SPOILT = {
    "a column less": (drop_column, "the columns CRIM,", "found no column MEDV"),
    "a column more": (
        change_line(0, lambda line: line.replace('"CRIM"', '"CRIME"')),
        "the columns CRIM,",
        "found no column CRIM, a column CRIME",
    ),
    "a word": (
        change_line(3, lambda line: "many" + line[line.index(",") :]),
        "a finite number in every cell",
        "found 'many' in column CRIM, line 4 (1 such cell)",
    ),
    "NaN": (
        change_line(2, lambda line: line.rpartition(",")[0] + ",NaN"),
        "a finite number in every cell",
        "found 'NaN' in column MEDV, line 3 (1 such cell)",
    ),
    "an empty cell": (
        change_line(506, lambda line: line[line.index(",") :]),
        "a finite number in every cell",
        "found '' in column CRIM, line 507 (1 such cell)",
    ),
    "a row less": (drop_last_line, "must have 506 rows", "found 505"),
    "another number": (
        change_line(5, lambda line: line.rpartition(",")[0] + ",99"),
        "must hold the numbers with sha256 832e894115c5...",
        "so a value has changed or rows are in another order",
    ),
    "an empty file": (
        lambda path: path.write_text(""),
        "the columns CRIM,",
        "reading it gave: No columns to parse from file",
    ),
    "a web page": (
        lambda path: path.write_text("<html><body>404</body></html>"),
        "the columns CRIM,",
        "found no column CRIM",
    ),
    "a binary file": (
        lambda path: path.write_bytes(bytes(range(256))),
        "the columns CRIM,",
        "reading it gave:",
    ),
    "a folder": (become_folder, "must be a CSV file that can be read", "found a directory"),
    "a pipe": (become_pipe, "must be a CSV file that can be read", "found it is a pipe or device"),
}


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_refused(folder, case):
    spoil, rule, found = case
    path = folder / "boston" / FILE.name
    spoil(path)
    with pytest.raises(DataError) as caught:
        load_boston(folder)
    assert caught.value.rule.startswith(f"'{path}' must")
    assert rule in caught.value.rule
    assert found in caught.value.found
    assert caught.value.remedy == REMEDY


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("empty", "found no such file"),
        ("nowhere", "found no such folder"),
        ("file", "found a file in its place"),
    ],
)
def test_a_named_folder_without_the_file_is_no_reason_to_look_elsewhere(
    tmp_path, monkeypatch, name, found
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    folder = tmp_path / name
    with pytest.raises(DataError) as caught:
        load_boston(folder)
    assert caught.value.rule == (
        f"The data folder '{folder}' (--data-dir) must contain boston/boston_housing.csv"
    )
    assert caught.value.found == found
    monkeypatch.setenv("NNLOSS_DATA", str(folder))
    with pytest.raises(DataError, match=r"\(NNLOSS_DATA\) must contain"):
        load_boston()


def test_a_random_split_has_all_rows_and_the_sizes_of_the_given_one():
    split = load_boston()
    first, again, other = split.redrawn(1), split.redrawn(1), split.redrawn(2)
    assert first.sizes == split.sizes
    assert sorted([*first.rows_train, *first.rows_test]) == list(range(506))
    assert (first.rows_test == again.rows_test).all()
    assert (first.rows_test != other.rows_test).any()
    assert (split.redrawn(5).redrawn(1).rows_test == first.rows_test).all()
    x = np.empty((506, 13))
    y = np.empty(506)
    x[split.rows_train], x[split.rows_test] = split.x_train, split.x_test
    y[split.rows_train], y[split.rows_test] = split.y_train, split.y_test
    assert (first.x_train == x[first.rows_train]).all()
    assert (first.y_test == y[first.rows_test]).all()
