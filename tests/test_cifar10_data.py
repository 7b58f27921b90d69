"""The CIFAR-10 data: the right images in one order, from a folder or through TFDS."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading

import numpy as np
import pytest
from conftest import send

from nnloss import DataError, load_cifar10
from nnloss._files import digest
from nnloss.datasets import cifar10

FOLDER = "tensorflow_datasets/cifar10"
FILES = {rows: f"cifar10-{rows}.tfrecord-00000-of-00001" for rows in ("train", "test")}


@pytest.fixture(scope="module")
def images(data):
    return load_cifar10(data)


def test_split_and_classes(images):
    assert images.x_train.shape == (50_000, 32, 32, 3)
    assert images.x_test.shape == (10_000, 32, 32, 3)
    assert images.x_train.dtype == np.uint8
    assert images.classes[3] == "cat"
    assert images.class_counts["train"].tolist() == [5000] * 10
    assert images.class_counts["test"].tolist() == [1000] * 10
    assert sorted(images.rows_train) == list(range(50_000))
    assert images.source == "cifar10/3.0.2 in the folder given by --data-dir"


def test_the_order_is_that_of_the_images_checksums(images):
    keys = [hashlib.sha256(image.tobytes()).hexdigest() for image in images.x_test]
    assert keys == sorted(keys)


def test_labels_and_numbers_go_with_their_images(images):
    """Row 0 of the official training data is a frog, row 1 a truck; their first pixels."""
    for number, label, pixel in ((0, "frog", [59, 62, 63]), (1, "truck", [154, 177, 187])):
        (place,) = np.flatnonzero(images.rows_train == number)
        assert images.classes[images.y_train[place]] == label
        assert images.x_train[place][0, 0].tolist() == pixel


def test_the_first_rows_are_a_sample_of_all_classes(images):
    sample = images.head(1000)
    assert sample.sizes == {"train": 1000, "test": 10_000}
    assert len(sample.rows_train) == len(sample.y_train) == 1000
    assert sample.class_counts["train"].between(70, 140).all()
    assert sample.origin == images.origin


@pytest.mark.slow
def test_a_folder_of_tensorflow_datasets_itself_will_do(data, images, monkeypatch):
    monkeypatch.setenv("NNLOSS_DATA", str(data / "tensorflow_datasets"))
    given = load_cifar10()
    assert given.arrays_sha256 == images.arrays_sha256
    assert given.sha256 == images.sha256


@pytest.fixture
def copy(tmp_path, data):
    """Make a data folder with links to the files, to be replaced."""
    (version,) = (data / FOLDER).iterdir()
    folder = tmp_path / FOLDER / version.name
    folder.mkdir(parents=True)
    for path in version.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def spoil(path, edit):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(edit(content))


# which file is spoilt, how, and what the message says
SPOILT = {
    "truncated": (FILES["test"], lambda c: c[: len(c) // 2], "DataLossError"),
    "a bit turned": (
        FILES["test"], lambda c: c[:5000] + bytes([c[5000] ^ 1]) + c[5001:], "DataLossError",
    ),
    "empty": (FILES["test"], lambda c: b"", "reading it gave:"),
    "a web page": (FILES["test"], lambda c: b"<html>404</html>", "DataLossError"),
    "a description cut off": ("dataset_info.json", lambda c: c[:300], "reading it gave:"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_refused(tmp_path, copy, monkeypatch, case):
    name, edit, found = case
    spoil(copy / name, edit)
    # The test images alone, which are read in a second.
    monkeypatch.setattr(cifar10, "_ROWS", {"test": 10_000})
    with pytest.raises(DataError) as caught:
        load_cifar10(tmp_path)
    assert caught.value.rule.startswith(f"'{copy.parent}")
    assert found in caught.value.found or found in str(caught.value)
    assert "prepare the data again" in caught.value.remedy


def test_other_images_are_refused(tmp_path, copy, monkeypatch):
    """The test images in the place of the training images."""
    train = copy / FILES["train"]
    train.unlink()
    train.symlink_to((copy / FILES["test"]).resolve())
    info = json.loads((copy / "dataset_info.json").read_text())
    info["splits"][0] |= {"shardLengths": ["10000"], "numBytes": info["splits"][1]["numBytes"]}
    spoil(copy / "dataset_info.json", lambda _: json.dumps(info).encode())
    with pytest.raises(DataError, match="must hold 50,000 train images of 32 x 32 x 3; found 10,0"):
        load_cifar10(tmp_path)
    monkeypatch.setattr(cifar10, "_ROWS", {"train": 10_000})
    with pytest.raises(DataError, match=r"must hold the numbers with sha256 33587152deae\.\.\.; f"):
        load_cifar10(tmp_path)


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_named_folder_without_the_data_is_no_reason_to_look_elsewhere(tmp_path, name):
    (tmp_path / "empty").mkdir()
    folder = tmp_path / name
    with pytest.raises(DataError) as caught:
        load_cifar10(folder)
    assert caught.value.rule == (f"The data folder '{folder}' (--data-dir) must contain {FOLDER}")
    assert "or do without --data-dir to have TensorFlow Datasets download" in caught.value.remedy


PARTS = {"train": 100, "test": 20}


@pytest.fixture(scope="module")
def small():
    """Make the archive as the authors publish it, with 100 and 20 random images."""
    rng = np.random.default_rng(0)
    files = {"batches.meta.txt": "\n".join(cifar10._CLASSES).encode()}
    stored = {}
    for rows, count in PARTS.items():
        labels = rng.integers(0, 10, count).astype(np.uint8)
        pixels = rng.integers(0, 256, (count, 3, 32, 32)).astype(np.uint8)  # planes of colour
        records = np.hstack([labels[:, None], pixels.reshape(count, -1)])
        names = [f"data_batch_{k}.bin" for k in range(1, 6)] if rows == "train" else ["test_batch"]
        for name, part in zip(names, np.split(records, len(names)), strict=True):
            files[name if rows == "train" else "test_batch.bin"] = part.tobytes()
        stored[rows] = (pixels.transpose(0, 2, 3, 1), labels)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue(), stored


def in_order(images, labels):
    order = np.argsort([hashlib.sha256(image.tobytes()).hexdigest() for image in images])
    return digest(images[order], labels[order].astype(np.int64))


@pytest.fixture
def home(tmp_path, monkeypatch, web, small):
    """Give TFDS an empty folder, and the address and checksum of the small archive."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import checksums

    content, stored = small
    builder, url = tfds.image_classification.Cifar10, f"{web.url}/cifar-10-binary.tar.gz"
    given = builder._cifar_info.fget
    monkeypatch.setattr(builder, "_cifar_info", property(lambda s: given(s)._replace(url=url)))
    info = checksums.UrlInfo(
        size=len(content), checksum=hashlib.sha256(content).hexdigest(), filename="cifar.tar.gz"
    )
    monkeypatch.setattr(builder, "url_infos", {url: info})
    monkeypatch.setattr(cifar10, "_ROWS", PARTS)
    sums = {rows: in_order(*parts) for rows, parts in stored.items()}
    monkeypatch.setattr(cifar10, "_SHA256", sums)
    monkeypatch.setattr(cifar10, "_tensorflow_datasets", lambda: _At(tfds, tmp_path))
    return tmp_path


class _At:
    """TensorFlow Datasets with another default folder, which it reads once, when imported."""

    def __init__(self, tfds, folder):
        self._tfds, self._folder = tfds, folder

    def builder(self, name):
        return self._tfds.builder(name, data_dir=str(self._folder))

    def as_numpy(self, dataset):
        return self._tfds.as_numpy(dataset)


def test_the_data_are_downloaded_once(home, web, small):
    content, stored = small
    web.pages["/cifar-10-binary.tar.gz"] = content
    given = load_cifar10()
    assert given.sizes == PARTS
    assert given.source == "cifar10/3.0.2 in TensorFlow Datasets"
    pixels, labels = stored["test"]
    for image, label, row in zip(given.x_test, given.y_test, given.rows_test, strict=True):
        assert np.array_equal(image, pixels[row])
        assert label == labels[row]
    assert sorted(path.name for path in (home / "cifar10").iterdir()) == [".download.lock", "3.0.2"]
    web.pages.clear()
    assert load_cifar10().arrays_sha256 == given.arrays_sha256


def test_two_at_once_download_once_and_sweep_up(home, web, small):
    web.pages["/cifar-10-binary.tar.gz"] = small[0]
    left = home / "cifar10" / ".download-killed"
    left.mkdir(parents=True)
    (left / "half.tar.gz").write_bytes(b"half")
    given = []
    threads = [threading.Thread(target=lambda: given.append(load_cifar10())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [split.sizes for split in given] == [PARTS] * 2
    assert sorted(path.name for path in (home / "cifar10").iterdir()) == [".download.lock", "3.0.2"]


# what the server gives for the archive, from the right one, and what the message says of it
WEB = {
    "nothing": (None, "/cifar-10-binary.tar.gz must be reachable; the server answered 404 Not F"),
    "a web page": (lambda c: b"<html>Sorry</html>", "NonMatchingChecksumError"),
    "half of it": (
        lambda c: lambda handler: send(handler, c[: len(c) // 2], len(c)), "found neither: ",
    ),
    "another archive": (lambda c: c + b"\0", "NonMatchingChecksumError"),
}  # fmt: skip


@pytest.mark.parametrize("case", WEB.values(), ids=WEB)
def test_what_is_wrong_is_not_kept_and_the_next_download_works(home, web, small, case):
    content, _ = small
    make, found = case
    if make:
        web.pages["/cifar-10-binary.tar.gz"] = make(content)
    with pytest.raises(DataError) as caught:
        load_cifar10()
    assert caught.value.rule == f"CIFAR-10 must be in '{home / 'cifar10' / '3.0.2'}' or on the web"
    assert found in caught.value.found
    assert "put data prepared by TensorFlow Datasets into FOLDER/" in caught.value.remedy
    assert {path.name for path in home.rglob("*") if path.is_file()} <= {".download.lock"}
    web.pages["/cifar-10-binary.tar.gz"] = content
    assert load_cifar10().sizes == PARTS
