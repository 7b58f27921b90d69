"""Files and checksums: a reader sees the old file or the new one, and never a half."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success the file written there takes its place.

    Parameters
    ----------
    path : Path
        The file to write. The temporary name has the same ending.

    Yields
    ------
    Path
        Where to write.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def require_folder(path: Path) -> None:
    """Refuse a folder for results that cannot be written to; nothing is created.

    Parameters
    ----------
    path : Path
        The folder. It may not exist yet; then the nearest one above it counts.

    Raises
    ------
    OutputError
        If there is a file in its place, or it is not writable.
    """
    rule = f"The output folder '{path}' must be a folder that can be written to"
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise OutputError(rule, f"'{nearest}' is a file", "Choose another folder with --out")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(
            rule, f"'{nearest}' is not writable", "Change its permissions or choose another folder"
        )


def create_folder(path: Path) -> None:
    """Create a folder and those above it.

    Parameters
    ----------
    path : Path
        The folder, which must not exist yet.

    Raises
    ------
    FileExistsError
        If it exists.
    OutputError
        If it cannot be created.
    """
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise
    except OSError as error:
        raise OutputError(
            f"The output folder '{path}' must be a folder that can be written to",
            f"the system says: {error.strerror}",
            "Choose another folder",
        ) from error


def digest(*arrays: NDArray[Any]) -> str:
    """Checksum of arrays: of their numbers, not of how a file writes them.

    Parameters
    ----------
    *arrays : ndarray
        Taken in C order and little endian, one after another.

    Returns
    -------
    str
        sha256 in hexadecimal.
    """
    sha = hashlib.sha256()
    for array in arrays:
        little = np.asarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        sha.update(np.ascontiguousarray(little).data)
    return sha.hexdigest()
