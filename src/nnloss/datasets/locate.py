"""Folders that may contain data: a given one, or the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from nnloss.errors import DataError

DataDir = str | os.PathLike[str] | None


def named_folder(data_dir: DataDir) -> tuple[Path, str] | None:
    """Return the folder given by the caller and its origin, "--data-dir" or "NNLOSS_DATA", or None.

    `data_dir` takes precedence over the environment variable ``NNLOSS_DATA``.
    """
    if data_dir is not None:
        return Path(data_dir), "--data-dir"
    variable = os.environ.get("NNLOSS_DATA")
    return (Path(variable), "NNLOSS_DATA") if variable else None


@contextmanager
def readable(folder: Path, origin: str) -> Iterator[None]:
    """Raise `DataError` instead of OSError for a folder that cannot be read."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The data folder '{folder}' ({origin}) must be one that can be read",
            f"the system reports: {error.strerror or error}",
            "Name another folder, or change its permissions",
        ) from error


def missing_file(folder: Path, origin: str, name: str, without: str, found: str = "") -> DataError:
    """Return the error for a given folder, from `origin`, in which `name` is missing.

    No other place is tried: it may hold other data than the user expects. `without` says what
    happens if no folder is given, `found` what is there instead.
    """
    if not found:
        kind = "file" if folder.is_dir() else "folder"
        found = "found a file in its place" if folder.is_file() else f"found no such {kind}"
    return DataError(
        f"The data folder '{folder}' ({origin}) must contain {name}",
        found,
        f"Put the file there, or do without {origin} {without}",
    )


def cache_folder() -> Path:
    """Return the user's cache folder for this package, which ``XDG_CACHE_HOME`` can change."""
    return platformdirs.user_cache_path("nnloss")
