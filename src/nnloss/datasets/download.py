"""Download of files and extraction of single members of a zip archive."""

from __future__ import annotations

import lzma
import struct
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from nnloss.datasets.parse import first_line
from nnloss.errors import DataError

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 2**16


def fetch(url: str, path: Path, *, limit: int) -> None:
    """Load a file from the web into `path`, with a progress bar on standard error.

    Without a terminal, one line is printed when the server has answered. Raises `DataError` if the
    server does not answer properly or the file exceeds `limit` bytes, and OSError if writing fails.
    An error may leave a partial file: use a temporary place.
    """
    import requests

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    )  # fmt: skip
    try:
        with (
            Progress(*columns, console=console, disable=not console.is_terminal) as bar,
            path.open("wb") as file,
        ):
            task = bar.add_task(f"Fetching {_last(url)}", total=None)
            with requests.get(url, stream=True, timeout=_TIMEOUT) as response:
                response.raise_for_status()
                if not console.is_terminal:
                    print(f"Fetching {url}", file=sys.stderr)
                size, received = int(response.headers.get("content-length", 0)), 0
                bar.update(task, total=size or None)
                for chunk in response.iter_content(_CHUNK):
                    received += len(chunk)
                    # The announced size may be wrong, so count the received bytes too.
                    if max(size, received) > limit:
                        raise DataError(
                            f"{url} must give at most {limit:,} bytes",
                            f"found {max(size, received):,} or more",
                            "Take the file from another place",
                        )
                    file.write(chunk)
                    bar.update(task, completed=received)
    except DataError:
        raise
    except _no_answer() as error:
        raise _unreachable(url, error) from error


def zip_members(path: Path, names: tuple[str, ...], *, limit: int) -> dict[str, bytes]:
    """Read the members called `names` from any folder of a zip archive into memory.

    Missing members are left out. Raises `DataError` if the archive is damaged or encrypted, a
    member's path leaves the archive's folder, or one of `names` unpacks to more than `limit` bytes.
    """
    rule, remedy = f"{path.name} must be a zip archive", "Take it from another place"
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                place = PurePosixPath(info.filename.replace("\\", "/"))
                if place.is_absolute() or ".." in place.parts or ":" in info.filename:
                    raise DataError(
                        f"{path.name} must have members inside its own folder",
                        f"found {info.filename!r}",
                        remedy,
                    )
                if place.name not in names:
                    continue
                with archive.open(info) as file:
                    content = file.read(limit + 1)
                if len(content) > limit:
                    raise DataError(
                        f"{path.name} must have members of at most {limit:,} bytes",
                        f"found {info.filename!r} with {max(info.file_size, limit):,} or more",
                        remedy,
                    )
                members[place.name] = content
    except DataError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        ValueError,  # a name that is not UTF-8; DataError, a subclass, is raised above
        EOFError,
        NotImplementedError,  # unsupported compression
        RuntimeError,  # encrypted
        OSError,
    ) as error:
        raise DataError(rule, f"reading it gave: {first_line(error)}", remedy) from error
    return members


def require_reachable(url: str) -> None:
    """Raise `DataError` at once, without a download, if a file is not reachable."""
    import requests

    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
    except _no_answer() as error:
        raise _unreachable(url, error) from error


def _no_answer() -> tuple[type[Exception], ...]:
    """Return the errors of a server that does not answer, or answers with nonsense."""
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return RequestException, HTTPError, ValueError  # invalid length or address


def _unreachable(url: str, error: Exception) -> DataError:
    return DataError(f"{url} must be reachable", _reason(error), "Try again later")


def _reason(error: Exception) -> str:
    """Return a short reason for a failed request, instead of the library's chain of errors."""
    from requests import exceptions

    if isinstance(error, exceptions.TooManyRedirects):
        return "it redirects endlessly"
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    if isinstance(error, exceptions.Timeout):
        return f"no answer in {_TIMEOUT} s"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the connection ended early"
    if isinstance(error, exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, exceptions.ConnectionError):
        return "no connection"
    return first_line(error)


def _last(url: str) -> str:
    return PurePosixPath(urlparse(url).path).name
