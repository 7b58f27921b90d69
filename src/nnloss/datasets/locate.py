"""Where data are looked for: a folder that was named, what comes with the package, the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnloss.errors import DataError

DataDir = str | os.PathLike[str] | None


def named_folder(data_dir: DataDir) -> tuple[Path, str] | None:
    """Find the folder with data that the caller named, and how.

    Parameters
    ----------
    data_dir : path or None
        The argument; it goes before the environment variable ``NNLOSS_DATA``.

    Returns
    -------
    tuple of (Path, str) or None
        The folder, and "--data-dir" or "NNLOSS_DATA"; None if none was named.
    """
    if data_dir is not None:
        return Path(data_dir), "--data-dir"
    variable = os.environ.get("NNLOSS_DATA")
    return (Path(variable), "NNLOSS_DATA") if variable else None


@contextmanager
def looking_into(folder: Path, origin: str) -> Iterator[None]:
    """Turn what the system says of a folder that cannot be looked into into a `DataError`.

    Parameters
    ----------
    folder : Path
        The folder.
    origin : str
        How it was named.

    Raises
    ------
    DataError
        If the system refuses, for example for want of a permission.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The data folder '{folder}' ({origin}) must be one that can be read",
            f"the system says: {error.strerror or error}",
            "Name another folder, or change its permissions",
        ) from error


def lacks(folder: Path, origin: str, name: str, without: str, found: str = "") -> DataError:
    """Make the error for a named folder that lacks what it must contain.

    A folder that was named is the only place looked at: to go on elsewhere would train on other
    data than the user thinks.

    Parameters
    ----------
    folder : Path
        The folder.
    origin : str
        How it was named, from `named_folder`.
    name : str
        What is missing in it.
    without : str
        What happens if no folder is named.
    found : str, optional
        What is there instead, if not nothing.

    Returns
    -------
    DataError
        To be raised.
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
    """Folder for data that were downloaded.

    Returns
    -------
    Path
        The user's cache folder for this package, as pooch finds it: ``XDG_CACHE_HOME`` counts.
    """
    import pooch

    return Path(pooch.os_cache("nnloss"))
