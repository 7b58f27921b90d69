"""Atomic file replacement, folders for results, and checksums."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnloss.errors import FolderError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move the file written there to `path` on success.

    Readers see the old or the new file, never a partial one. The temporary name keeps the suffix.
    On an OSError, raise FolderError and leave `path` unchanged.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        fsync_path(temporary)
        os.replace(temporary, path)
        fsync_path(path.parent)
    except OSError as error:
        raise FolderError(
            f"'{path}' must be written",
            f"the system reports: {error.strerror or error}",
            "Make room there, or choose another folder",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read_file(path: Path) -> bytes:
    """Return the content of a regular file.

    Raise OSError for anything else: reading a pipe or a device may never end.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "it is a pipe or device, not a file", str(path))
    return path.read_bytes()


def remove_unfinished(path: Path) -> None:
    """Remove temporary files that killed processes left behind in `replacing`.

    No other process may be writing `path`.
    """
    name = f".{glob.escape(path.stem)}.{'[0-9a-f]' * 8}{glob.escape(path.suffix)}"
    for left in path.parent.glob(name):
        left.unlink(missing_ok=True)


def fsync_path(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk so that it survives a power loss."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    opened = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def set_aside(path: Path) -> Path:
    """Rename a file or folder to a free name in the same folder, and return the new path."""
    aside = path.with_name(f"{path.name}.aside-{secrets.token_hex(4)}")
    try:
        path.rename(aside)
    except OSError as error:
        raise FolderError(
            f"'{path}' must be moved out of the way",
            f"the system reports: {error.strerror}",
            "Move it by hand, or choose another folder",
        ) from error
    return aside


def require_folder(out: Path) -> None:
    """Raise FolderError if `out` cannot be a writable folder; nothing is created.

    If `out` does not exist, its nearest existing parent must be writable.
    """
    nearest = out
    try:
        while not nearest.exists() and not nearest.is_symlink() and nearest != nearest.parent:
            nearest = nearest.parent
    except OSError as error:  # name too long
        raise _not_writable(out, f"the system reports: {error.strerror}") from error
    if nearest.is_symlink() and not nearest.exists():
        raise _not_writable(out, f"'{nearest}' is a broken link")
    if not nearest.is_dir():
        raise _not_writable(out, f"'{nearest}' is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise _not_writable(out, f"'{nearest}' is not writable")


def create_folder(out: Path, *names: str, exist_ok: bool = True) -> Path:
    """Create the folder ``out/names[0]/...`` and missing parents, and return it.

    Raise FileExistsError if it exists and may not, and FolderError if it cannot be created.
    """
    folder = out.joinpath(*names)
    try:
        folder.mkdir(parents=True, exist_ok=exist_ok)
    except OSError as error:
        if isinstance(error, FileExistsError) and folder.is_dir():
            raise
        raise _not_writable(out, f"the system reports: {error.strerror}") from error
    return folder


def _not_writable(out: Path, found: str) -> FolderError:
    return FolderError(
        f"The output folder '{out}' must be a folder that can be written to",
        found,
        "Choose another folder or change its permissions",
    )


def digest(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of the numbers of arrays, in C order and little endian, as hexadecimal."""
    import numpy as np

    sha = hashlib.sha256()
    for array in arrays:
        little = np.asarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        sha.update(np.ascontiguousarray(little).data)
    return sha.hexdigest()
