"""Files and checksums: a reader sees the old file or the new one, and never a half."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnloss.errors import FolderError


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

    Raises
    ------
    FolderError
        If the system refuses, for example because the disk is full; `path` is as it was then.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        to_disk(temporary)
        os.replace(temporary, path)
        to_disk(path.parent)
    except OSError as error:
        raise FolderError(
            f"'{path}' must be written",
            f"the system says: {error.strerror or error}",
            "Make room there, or choose another folder",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(path: Path) -> None:
    """Remove the temporary files that processes which were killed in `replacing` have left.

    Parameters
    ----------
    path : Path
        The file that they wanted to write. No other process may be writing it now.
    """
    name = f".{glob.escape(path.stem)}.{'[0-9a-f]' * 8}{glob.escape(path.suffix)}"
    for left in path.parent.glob(name):
        left.unlink(missing_ok=True)


def to_disk(path: Path) -> None:
    """Wait until a file, or what a folder lists, would outlive a loss of power.

    Parameters
    ----------
    path : Path
        File or folder.
    """
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    opened = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def set_aside(path: Path) -> Path:
    """Rename a file or folder, so that it is out of the way and can still be looked at.

    Parameters
    ----------
    path : Path
        What is in the way.

    Returns
    -------
    Path
        The new name, in the same folder.

    Raises
    ------
    FolderError
        If the system refuses.
    """
    aside = path.with_name(f"{path.name}.aside-{secrets.token_hex(4)}")
    try:
        path.rename(aside)
    except OSError as error:
        raise FolderError(
            f"'{path}' must be moved out of the way",
            f"the system says: {error.strerror}",
            "Move it by hand, or choose another folder",
        ) from error
    return aside


def require_folder(out: Path) -> None:
    """Refuse a folder for results that cannot be written to; nothing is created.

    Parameters
    ----------
    out : Path
        The folder. It may not exist yet; then the nearest one above it counts.

    Raises
    ------
    FolderError
        If there is a file in its place, or it is not writable.
    """
    nearest = out
    try:
        while not nearest.exists() and not nearest.is_symlink() and nearest != nearest.parent:
            nearest = nearest.parent
    except OSError as error:  # a name that is too long
        raise _not_writable(out, f"the system says: {error.strerror}") from error
    if nearest.is_symlink() and not nearest.exists():
        raise _not_writable(out, f"'{nearest}' is a link to nowhere")
    if not nearest.is_dir():
        raise _not_writable(out, f"'{nearest}' is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise _not_writable(out, f"'{nearest}' is not writable")


def create_folder(out: Path, *names: str) -> Path:
    """Create a new folder below a folder for results, and that one if it is not there.

    Parameters
    ----------
    out : Path
        The folder for results.
    *names : str
        The path of the new folder from there.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    FileExistsError
        If the new folder exists.
    FolderError
        If it cannot be created.
    """
    folder = out.joinpath(*names)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        if isinstance(error, FileExistsError) and folder.is_dir():
            raise
        raise _not_writable(out, f"the system says: {error.strerror}") from error
    return folder


def _not_writable(out: Path, found: str) -> FolderError:
    return FolderError(
        f"The output folder '{out}' must be a folder that can be written to",
        found,
        "Choose another folder or change its permissions",
    )


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
