"""What the tests share: small bodies, the data, a web server, and a clean environment."""

from __future__ import annotations

import io
import logging
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import pytest

from nnloss import commandline, load_boston
from nnloss._tensorflow import keras

pytest_plugins = ["browser"]

ROOT = Path(__file__).resolve().parents[1]
# Tests, and the examples in docstrings, use the embedded data unless they say otherwise, whatever
# the environment of the person who runs them names. The processes of pytest-xdist inherit this.
_NAMED = os.environ.setdefault("NNLOSS_DATA_OF_TESTS", os.environ.pop("NNLOSS_DATA", ""))
DATA = Path(_NAMED or ROOT.parent / "shared" / "data").resolve()


# Tables have 100 columns where there is no terminal. pytest imports readline, which sets this
# variable for the processes that tests start, but not in os.environ.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")

# Where the tests run in the background, Ctrl-C is ignored, by the processes that they start too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that are slow as a whole, which import what the group slow has."""
    if "not slow" in config.option.markexpr and collection_path.suffix == ".py":
        return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text("utf-8") or None
    return None


def code_of(text: str) -> list[str]:
    """Return the blocks of Python code in Markdown."""
    return re.findall(r"```python\n(.+?)```", text, flags=re.DOTALL)


def assert_in_range(printed: str, code: str) -> None:
    """Compare a printed number with the range that the code promises, such as ``# 0.95 to 1``."""
    ((low, high),) = re.findall(r"# ([\d.]+) to ([\d.]+)$", code, flags=re.MULTILINE)
    assert float(low) <= float(printed) <= float(high)


def missing(text: str) -> NoReturn:
    """Skip a test that lacks something; with ``CI`` set, a green run means that all of it ran."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(text)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """Undo the limit that a sweep in this process puts on the threads of those started later.

    Another number of threads rounds in another way.
    """
    names = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
    before = {name: os.environ[name] for name in names if name in os.environ}
    yield
    for name in names:
        os.environ.pop(name, None)
    os.environ.update(before)


@pytest.fixture(scope="session")
def split():
    return load_boston()


@pytest.fixture(scope="session")
def data() -> Path:
    """Find the real Wafer and CIFAR-10 data, which do not come with the project."""
    if not (DATA / "wafer").is_dir() or not (DATA / "tensorflow_datasets").is_dir():
        text = f"needs a folder with wafer/ and tensorflow_datasets/; {DATA} is none: NNLOSS_DATA"
        missing(text)
    return DATA


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Let no process reach the web, and give each a home without data."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nobody listens
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


class Web:
    """A web server on 127.0.0.1: what `pages` has for a path is sent, or called with the handler.

    `asked` is the list of the paths that were asked for.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                page = web.pages.get(self.path)
                if page is None:
                    self.send_error(404)
                elif callable(page):
                    page(self)
                else:
                    send(self, page)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def send(handler: BaseHTTPRequestHandler, content: bytes, announced: int | None = None) -> None:
    """Send a page; with `announced`, another length than it has."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if announced is None else announced))
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def body() -> Callable[..., Any]:
    """Build a sequential model: 8 features, a hidden layer, and the given layers."""

    def build(*layers: Any, name: str = "net") -> Any:
        hidden = keras.layers.Dense(16, activation="relu")
        return keras.Sequential([keras.Input((8,)), hidden, *layers], name=name)

    return build


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in the checkout, in a process of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def site_sources(folder: Path, *left_out: str) -> Path:
    """Copy what the site is made of, and return the copy's docs: a build writes beside them."""
    copied = {"docs", "notebooks"}
    for name in copied:
        left = shutil.ignore_patterns("_build", "labs", "__pycache__", *left_out)
        shutil.copytree(ROOT / name, folder / name, ignore=left)
    for path in ROOT.iterdir():
        if path.name not in copied:
            (folder / path.name).symlink_to(path)
    return folder / "docs"


def build_site(docs: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as its command does, without the data and without a network."""
    nowhere = "http://127.0.0.1:9"  # where nobody listens
    environment = {**os.environ, "http_proxy": nowhere, "https_proxy": nowhere}
    environment.pop("NNLOSS_DATA", None)
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--quiet", str(docs), str(target)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, and return its folder."""
    folder = tmp_path_factory.mktemp("site")
    done = build_site(site_sources(folder), folder / "built" / "html")
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "built" / "html"


@pytest.fixture
def captured(monkeypatch) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call a function that returns an exit status, and catch what it prints and logs."""
    logger = logging.getLogger("nnloss")
    monkeypatch.setattr(logger, "level", logging.INFO)

    def run(
        function: Callable[[list[str]], int], *arguments: Any, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        given = [str(each) for each in arguments]
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            handler = logging.StreamHandler()
            logger.addHandler(handler)
            try:
                status = function(given)
            finally:
                logger.removeHandler(handler)
        return subprocess.CompletedProcess(given, status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def typed(captured) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command line as `python` does, but in this process, with `text` as its input."""

    def run(
        command: Callable[..., None], *arguments: Any, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        app = commandline.application(command)
        return captured(lambda given: commandline.status(app, given), *arguments, text=text)

    return run


@pytest.fixture
def lab(captured, monkeypatch) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a lab as ``python -m`` does, but in this process."""

    def run(name: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which a lab replaces
        for place in (commandline, commandline.process):  # this process is no command's
            monkeypatch.setattr(place, "set_up", lambda: None)

        def script(given: list[str]) -> int:
            monkeypatch.setattr(sys, "argv", [name, *given])
            try:
                runpy.run_module(f"exercises.{name}", run_name="__main__", alter_sys=True)
            except SystemExit as ended:
                return int(ended.code or 0)
            except Exception as error:
                with pytest.raises(SystemExit) as ended:
                    sys.excepthook(type(error), error, error.__traceback__)
                return int(ended.value.code)
            return 0

        return captured(script, *arguments)

    return run
