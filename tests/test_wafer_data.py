"""The Wafer data: the right series from a folder, the cache or the web, and nothing else."""

from __future__ import annotations

import io
import logging
import os
import shutil
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest
from conftest import ROOT, send

from nnloss import DataError, load_boston, load_cifar10, load_wafer
from nnloss.datasets import download, wafer

NAMES = ("Wafer_TRAIN", "Wafer_TEST")


@pytest.fixture(scope="module")
def series(data):
    return load_wafer(data)


@pytest.fixture(scope="module")
def tsv(data):
    """Both files, as the archive of 2018 writes them."""
    return {name: (data / "wafer" / f"{name}.tsv").read_bytes() for name in NAMES}


def as_ts(content):
    lines = [line.split(b"\t") for line in content.splitlines()]
    header = b"# about @data\n@problemName Wafer\n@classLabel true -1 1\n@data\n"
    return header + b"".join(b",".join(line[1:]) + b":" + line[0] + b"\n" for line in lines)


def as_txt(content):
    return b"".join(b"  " + line.replace(b"\t", b"   ") + b"\r\n" for line in content.splitlines())


WRITTEN = {".tsv": lambda content: content, ".ts": as_ts, ".txt": as_txt}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def archive(tsv):
    """Make the archive's zip: the series as .ts and as .txt."""
    files = {"Wafer.txt": b"about", "Wafer_TRAIN.arff": b"@relation"}
    for name, content in tsv.items():
        files |= {f"{name}.ts": as_ts(content), f"{name}.txt": as_txt(content)}
    return zipped(files)


def test_split_and_classes(series):
    assert series.x_train.shape == (1000, 152)
    assert series.x_test.shape == (6164, 152)
    assert series.sizes == {"train": 1000, "test": 6164}
    assert series.classes == ("abnormal", "normal")
    assert series.class_counts.to_dict("list") == {
        "class": ["abnormal", "normal"], "train": [97, 903], "test": [665, 5499],
    }  # fmt: skip
    assert sorted(set(series.y_train)) == [0, 1]
    assert series.x_train.dtype == np.float64
    assert series.source == "wafer in the folder given by --data-dir"


def test_the_first_series_is_that_of_the_file(series, tsv):
    first = [float(cell) for cell in tsv["Wafer_TEST"].splitlines()[0].split(b"\t")]
    assert (series.x_test[0].tolist(), series.y_test[0]) == (first[1:], int(first[0] == 1))


def test_how_labels_become_classes_is_logged(data, caplog):
    with caplog.at_level(logging.INFO, logger="nnloss"):
        load_wafer(data)
    assert caplog.messages == ["Wafer: label -1 (abnormal) is class 0, label 1 (normal) is class 1"]


def folder_with(path, tsv, ending=".tsv"):
    (path / "wafer").mkdir()
    for name, content in tsv.items():
        (path / "wafer" / f"{name}{ending}").write_bytes(WRITTEN[ending](content))
    return path


@pytest.mark.parametrize("ending", WRITTEN)
def test_every_form_of_the_file_gives_the_same_series(tmp_path, tsv, series, monkeypatch, ending):
    folder = folder_with(tmp_path, tsv, ending)
    monkeypatch.setenv("NNLOSS_DATA", str(folder))
    given = load_wafer()
    assert np.array_equal(given.x_train, series.x_train)
    assert np.array_equal(given.y_test, series.y_test)
    assert given.arrays_sha256 == series.arrays_sha256
    assert given.source == "wafer in the folder given by NNLOSS_DATA"


def test_a_digit_that_float32_does_not_keep_may_differ(tmp_path, tsv, series):
    folder = folder_with(tmp_path, tsv)
    path = folder / "wafer" / "Wafer_TRAIN.tsv"
    path.write_bytes(path.read_bytes().replace(b"-1.6022936\t", b"-1.60229361\t", 1))
    given = load_wafer(folder)
    assert not np.array_equal(given.x_train, series.x_train)
    assert given.arrays_sha256 == series.arrays_sha256


def cells(content, row, edit):
    lines = content.split(b"\n")
    lines[row] = b"\t".join(edit(lines[row].split(b"\t")))
    return b"\n".join(lines)


# how Wafer_TRAIN.tsv is spoilt, and what the message says of it
SPOILT = {
    "truncated in a line": (
        lambda c: c[: len(c) // 2 + 7], "a finite number in every cell", "found '' in column",
    ),
    "truncated after a line": (
        lambda c: b"\n".join(c.split(b"\n")[:500]) + b"\n", "must have 1000 rows", "found 500",
    ),
    "151 columns": (
        lambda c: b"\n".join(line.rpartition(b"\t")[0] for line in c.splitlines()),
        "must have 153 columns, a label and 152 values", "found 152",
    ),
    "a row too long": (
        lambda c: cells(c, 3, lambda line: [*line, b"1"]),
        "must have 153 columns", "Expected 153 fields in line 4, saw 154",
    ),
    "a label 2": (
        lambda c: cells(c, 6, lambda line: [b"2", *line[1:]]),
        "must have the labels -1 and 1", "found 2 in row 7 (1 such rows)",
    ),
    "a word": (
        lambda c: cells(c, 9, lambda line: [line[0], b"high", *line[2:]]),
        "a finite number in every cell", "found 'high' in column 2, line 10 (1 such cell)",
    ),
    "infinity": (
        lambda c: cells(c, 9, lambda line: [line[0], b"inf", *line[2:]]),
        "a finite number in every cell", "found 'inf' in column 2, line 10",
    ),
    "another number": (
        lambda c: cells(c, 9, lambda line: [line[0], b"0.5", *line[2:]]),
        "must hold the numbers with sha256 ab28a84dccb5...", "so a value has changed",
    ),
    "labels swapped": (
        lambda c: cells(c, 9, lambda line: [b"-1" if line[0] == b"1" else b"1", *line[1:]]),
        "must hold the numbers with sha256 3e5ada1070e2...", "so a value has changed",
    ),
    "empty": (lambda c: b"", "must have 153 columns", "reading it gave: No columns to parse"),
    "a web page": (
        lambda c: b"<!doctype html>\n<html><body>404</body></html>\n", "must have 153 columns",
        "found 1",
    ),
    "binary": (lambda c: bytes(range(256)) * 9, "'", "reading it gave:"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_refused(tmp_path, tsv, case):
    spoil, rule, found = case
    folder = folder_with(tmp_path, tsv | {"Wafer_TRAIN": spoil(tsv["Wafer_TRAIN"])})
    with pytest.raises(DataError) as caught:
        load_wafer(folder)
    assert caught.value.rule.startswith(f"'{folder / 'wafer' / 'Wafer_TRAIN.tsv'}' must")
    assert rule in caught.value.rule
    assert found in caught.value.found
    assert caught.value.remedy == (
        "Replace it by the original; the guide 'Data without a network' says where it is"
    )


def test_a_ts_file_without_its_header_is_refused(tmp_path, tsv):
    folder = folder_with(tmp_path, tsv, ".ts")
    path = folder / "wafer" / "Wafer_TEST.ts"
    path.write_bytes(path.read_bytes().replace(b"\n@data", b""))
    with pytest.raises(DataError, match="must have a header that ends in @data; found no such"):
        load_wafer(folder)


def test_the_line_of_a_bad_cell_counts_the_header(tmp_path, tsv):
    folder = folder_with(tmp_path, tsv, ".ts")
    path = folder / "wafer" / "Wafer_TRAIN.ts"
    lines = path.read_bytes().split(b"\n")
    lines[5] = b"?" + lines[5][lines[5].index(b",") :]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=r"found '\?' in column 2, line 6 \(1 such cell\)"):
        load_wafer(folder)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (["Wafer_TRAIN"], "found Wafer_TRAIN.tsv, but no Wafer_TEST"),
        (["Wafer_TEST"], "found Wafer_TEST.tsv, but no Wafer_TRAIN"),
        ([], "found no such file"),
    ],
)
def test_a_named_folder_without_the_files_is_no_reason_to_look_elsewhere(
    tmp_path, tsv, there, found
):
    folder_with(tmp_path, {name: tsv[name] for name in there})
    with pytest.raises(DataError) as caught:
        load_wafer(tmp_path)
    assert caught.value.rule == (
        f"The data folder '{tmp_path}' (--data-dir) must contain wafer/Wafer_TRAIN and "
        "wafer/Wafer_TEST, as .tsv, .ts or .txt"
    )
    assert caught.value.found == found
    assert caught.value.remedy == (
        "Put the file there, or do without --data-dir to fetch the data from the web"
    )


@pytest.mark.parametrize("load", [load_boston, load_cifar10, load_wafer])
def test_a_folder_that_the_system_refuses_is_said(tmp_path, load):
    folder = tmp_path / ("a" * 300)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.rule == (
        f"The data folder '{folder}' (--data-dir) must be one that can be read"
    )
    assert caught.value.found == "the system reports: File name too long"


@pytest.fixture
def cache(tmp_path, monkeypatch, web):
    """Make an empty cache, and a web with nothing in it; give the folder for the files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(wafer, "ARCHIVE", f"{web.url}/Wafer.zip")
    monkeypatch.setattr(wafer, "COURSE", f"{web.url}/course/")
    return tmp_path / "nnloss" / "wafer"


def files_of(cache):
    return sorted(p.relative_to(cache.parent).as_posix() for p in cache.parent.rglob("*"))


def test_the_archive_is_fetched_once(cache, web, archive, series, capfd):
    web.pages["/Wafer.zip"] = archive
    given = load_wafer()
    assert np.array_equal(given.x_test, series.x_test)
    assert given.source == "wafer in the cache"
    assert files_of(cache) == ["wafer", "wafer.lock", "wafer/Wafer_TEST.ts", "wafer/Wafer_TRAIN.ts"]
    assert capfd.readouterr().err == f"Fetching {web.url}/Wafer.zip\n"
    assert load_wafer().arrays_sha256 == series.arrays_sha256
    assert web.asked == ["/Wafer.zip"]


def test_the_form_with_enough_digits_is_taken(cache, web, tsv, series):
    files = {f"{name}.ts": as_ts(content).replace(b"1,", b",") for name, content in tsv.items()}
    files |= {f"data/{name}.txt": as_txt(content) for name, content in tsv.items()}
    web.pages["/Wafer.zip"] = zipped(files)
    assert load_wafer().arrays_sha256 == series.arrays_sha256
    assert "wafer/Wafer_TEST.txt" in files_of(cache)


def course(web, tsv):
    web.pages |= {f"/course/{name}.tsv": content for name, content in tsv.items()}


def test_the_courses_files_are_the_second_choice(cache, web, tsv, series, caplog):
    course(web, tsv)
    assert load_wafer().arrays_sha256 == series.arrays_sha256
    assert web.asked == ["/Wafer.zip", "/course/Wafer_TRAIN.tsv", "/course/Wafer_TEST.tsv"]
    assert caplog.messages[0] == (
        f"Wafer: taken from another place, since {web.url}/Wafer.zip must be reachable; the server "
        "answered 404 Not Found"
    )


def half(content):
    """Announce all of it and stop half way."""
    return lambda handler: send(handler, content[: len(content) // 2], len(content))


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(2**20))
    except OSError:  # hung up on
        pass


def answering(**headers):
    def answer(handler):
        handler.send_response(302 if "Location" in headers else 200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return lambda zip_: answer


def mangled(zip_):
    """Make an archive whose members are packed by LZMA, with a byte turned."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("Wafer_TRAIN.ts", b"1,2,3" * 1000)
    content = bytearray(buffer.getvalue())
    content[60:70] = b"\xff" * 10
    return bytes(content)


def misnamed(zip_):
    """Make an archive with a member whose name claims to be UTF-8 and is not."""
    return zipped({"Wafer_TRAIN.ts": b"", "é": b""}).replace("é".encode(), b"\xff\xff")


HTML = b"<!doctype html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"
# what the server gives for the zip, from the right zip, and what the message says of it
WEB = {
    "nothing": (None, "/Wafer.zip must be reachable; the server answered 404 Not Found"),
    "half of it": (half, "/Wafer.zip must be reachable; the connection ended early"),
    "half of it, unannounced": (
        lambda zip_: zip_[: len(zip_) // 2], "must be a zip archive; reading it gave: File is not",
    ),
    "a web page": (lambda zip_: HTML, "Wafer.zip must be a zip archive; reading it gave: File is"),
    "nothing in it": (lambda zip_: b"", "Wafer.zip must be a zip archive; reading it gave: File"),
    "other members": (
        lambda zip_: zipped({"Wafer_TRAIN.ts": b""}),
        "Wafer.zip must contain Wafer_TRAIN and Wafer_TEST, as .tsv, .ts or .txt; found no such",
    ),
    "a member outside": (
        lambda zip_: zipped({"../Wafer_TRAIN.ts": b"", "Wafer_TEST.ts": b""}),
        "must have members inside its own folder; found '../Wafer_TRAIN.ts'",
    ),
    "an absolute member": (
        lambda zip_: zipped({"/etc/Wafer_TRAIN.ts": b"", "Wafer_TEST.ts": b""}),
        "must have members inside its own folder; found '/etc/Wafer_TRAIN.ts'",
    ),
    "a bomb": (
        lambda zip_: zipped(dict.fromkeys(["Wafer_TRAIN.ts", "Wafer_TEST.ts"], bytes(2**24 + 1))),
        "must have members of at most 16,777,216 bytes; found 'Wafer_TRAIN.ts' with 16,777,217",
    ),
    "no end": (lambda zip_: endless, "/Wafer.zip must give at most 16,777,216 bytes; found"),
    "a lie about its length": (
        lambda zip_: lambda handler: send(handler, zip_, 10**12),
        "/Wafer.zip must give at most 16,777,216 bytes; found 1,000,000,000,000 or more",
    ),
    "damaged LZMA": (mangled, "must be a zip archive; reading it gave: Corrupt input data"),
    "a name that is none": (misnamed, "must be a zip archive; reading it gave: 'utf-8' codec can"),
    "a length that is none": (
        answering(Content_Length="abc"), "/Wafer.zip must be reachable; invalid literal for int()",
    ),
    "an address that is none": (
        answering(Location="http://[bad/"), "/Wafer.zip must be reachable; ",
    ),
    "redirects endlessly": (
        answering(Location="/Wafer.zip"), "/Wafer.zip must be reachable; it redirects endlessly",
    ),
    "spoilt series": (
        lambda zip_: zipped({f"{name}.ts": b"@data\n1,2:3\n" for name in NAMES}),
        "Wafer_TRAIN.ts' must have 153 columns, a label and 152 values; found 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WEB.values(), ids=WEB)
def test_what_is_wrong_is_not_kept_and_the_next_download_works(
    cache, web, archive, tsv, series, monkeypatch, case
):
    spoil, reason = case
    monkeypatch.setattr(wafer, "_LIMIT", 2**24)
    page = spoil(archive) if spoil else None
    if page is not None:
        web.pages["/Wafer.zip"] = page
    web.pages["/course/Wafer_TRAIN.tsv"] = HTML
    web.pages["/course/Wafer_TEST.tsv"] = tsv["Wafer_TEST"]
    with pytest.raises(DataError) as caught:
        load_wafer()
    assert caught.value.rule == (
        f"The Wafer files Wafer_TRAIN and Wafer_TEST must be in '{cache}' or on the web"
    )
    assert reason in caught.value.found
    assert "'Wafer_TRAIN.tsv' must have 153 columns" in caught.value.found
    assert caught.value.remedy == (
        "Connect to the internet and run it again, or put both files, as .tsv, .ts or .txt, into "
        "FOLDER/wafer and name it by --data-dir FOLDER or NNLOSS_DATA=FOLDER"
    )
    assert files_of(cache) == ["wafer.lock"]
    assert not list(cache.parent.parent.parent.rglob("**/etc"))
    web.pages["/Wafer.zip"] = archive
    assert load_wafer().arrays_sha256 == series.arrays_sha256


def test_a_server_that_says_nothing_is_given_up(cache, web, monkeypatch):
    released = threading.Event()
    web.pages["/Wafer.zip"] = lambda handler: released.wait(20)
    monkeypatch.setattr(download, "_TIMEOUT", 0.2)
    with pytest.raises(DataError, match=r"/Wafer.zip must be reachable; no answer in 0.2 s"):
        load_wafer()
    released.set()


def test_two_at_once_fetch_once(cache, web, archive, series):
    web.pages["/Wafer.zip"] = archive
    given = []
    threads = [threading.Thread(target=lambda: given.append(load_wafer())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [split.arrays_sha256 for split in given] == [series.arrays_sha256] * 3
    assert web.asked == ["/Wafer.zip"]


def test_what_a_killed_download_left_is_swept_up(cache, web, archive):
    left = cache.parent / ".wafer-killed"
    left.mkdir(parents=True)
    (left / "Wafer.zip").write_bytes(b"half")
    cache.mkdir()
    (cache / "Wafer_TRAIN.ts").write_bytes(b"without the other")
    web.pages["/Wafer.zip"] = archive
    load_wafer()
    assert files_of(cache) == ["wafer", "wafer.lock", "wafer/Wafer_TEST.ts", "wafer/Wafer_TRAIN.ts"]


def test_a_damaged_cache_is_not_used(cache, web, archive):
    web.pages["/Wafer.zip"] = archive
    load_wafer()
    (cache / "Wafer_TEST.ts").write_bytes(b"@data\n")
    with pytest.raises(DataError, match="must have 153 columns") as caught:
        load_wafer()
    assert caught.value.remedy == f"Delete '{cache}' to have it fetched again"
    shutil.rmtree(cache)
    load_wafer()


FULL = """
import resource, sys
from nnloss import DataError, load_boston, load_cifar10, load_wafer
from nnloss.datasets import wafer
wafer.ARCHIVE, wafer.COURSE = sys.argv[1] + "/Wafer.zip", sys.argv[1] + "/course/"
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))
try:
    load_wafer()
except DataError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(load_wafer().sizes)
"""


def test_a_full_disk_leaves_no_half_file(cache, web, archive):
    """The process may write no file of more than 1 MiB; then it may."""
    web.pages["/Wafer.zip"] = archive
    done = subprocess.run(
        [sys.executable, "-c", FULL, web.url],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    refused, sizes = done.stdout.splitlines()
    assert f"must be kept in the cache '{cache.parent}'; the system reports: File too l" in refused
    assert sizes == "{'train': 1000, 'test': 6164}"
    assert files_of(cache) == ["wafer", "wafer.lock", "wafer/Wafer_TEST.ts", "wafer/Wafer_TRAIN.ts"]


def test_a_cache_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"The data must be kept in the cache .* Not a direct"):
        load_wafer()
