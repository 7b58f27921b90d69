"""A Dask cluster: real schedulers and workers on 127.0.0.1, some of which are killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import light_work
import psutil
import pytest
from light_sweep import DEADLINE, PATHS, LightSweep, alive, environment, until

from nnloss import NnlossError
from nnloss.reproduction import cluster
from nnloss.reproduction.units import Unit

pytestmark = pytest.mark.slow


class Cluster:
    """A Dask scheduler, and workers, each a process."""

    def __init__(self, folder: Path, *paths: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        place = ("--host", "127.0.0.1", "--port", "0")
        self.scheduler = self._start("scheduler", *place, paths=(*paths, *PATHS))
        self.address = self._told(self.scheduler, "Scheduler at:")

    def worker(
        self, *, threads: int = 1, paths: tuple[Path, ...] = (), nanny: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until the scheduler has it."""
        kind = ("--nthreads", str(threads), "--nanny" if nanny else "--no-nanny")
        place = ("--local-directory", str(self.folder), self.address)
        process = self._start("worker", *kind, *place, paths=(*paths, *PATHS))
        self._told(process, "Starting established connection")
        return process

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
                process.wait()

    def _start(self, *command: str, paths: tuple[Path, ...]) -> subprocess.Popen[bytes]:
        with self._log(len(self.processes)).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command, "--no-dashboard"],
                stdout=log,
                stderr=log,
                env=environment(*paths),
            )
        self.processes.append(process)
        return process

    def _told(self, process: subprocess.Popen[bytes], what: str) -> str:
        """Wait until a process has told it, and give the end of the line."""
        log = self._log(self.processes.index(process))
        until(lambda: what in log.read_text(), f"'{what}' in {log}")
        return log.read_text().partition(what)[2].split("\n")[0].strip()

    def _log(self, number: int) -> Path:
        return self.folder / f"process {number}.log"


@pytest.fixture
def new_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Start a scheduler for one test, which adds the workers, and kills."""
    made = Cluster(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start a scheduler and a worker, whom no test kills."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    made.worker()
    yield made
    made.close()


@pytest.fixture
def light(tmp_path: Path) -> Iterator[LightSweep]:
    sweep = LightSweep(tmp_path)
    yield sweep
    sweep.close()


def test_a_killed_worker_loses_nothing(new_cluster: Cluster, light: LightSweep) -> None:
    workers = [new_cluster.worker() for _ in range(2)]
    light.hold()
    process = light.start("--scheduler", new_cluster.address)
    light.wait_until_begun(2)
    parents = [psutil.Process(pid).ppid() for pid in light.pids()]
    assert set(parents) == {worker.pid for worker in workers}
    killed = next(worker for worker in workers if worker.pid == parents[0])
    killed.kill()
    killed.wait()
    until(lambda: not alive(light.pids()[0]), "the process of its unit ended")
    light.release()

    assert light.ended(process) == (0, "")
    lost = light.begun()[0]
    assert sorted(light.begun()) == sorted([lost, *set(light.begun())])
    light.check()


def test_a_killed_process_of_a_worker_loses_nothing(
    new_cluster: Cluster, light: LightSweep
) -> None:
    new_cluster.worker(threads=2)
    new_cluster.worker(nanny=True)
    light.hold()
    process = light.start("--scheduler", new_cluster.address)
    light.wait_until_begun(3)
    os.kill(light.pids()[0], signal.SIGKILL)
    light.release()

    assert light.ended(process) == (0, "")
    assert light.begun().count(light.begun()[0]) == 2
    light.check()


def test_a_sweep_without_workers_says_so_and_waits_for_one(
    new_cluster: Cluster, light: LightSweep
) -> None:
    worker = new_cluster.worker()
    light.hold()
    process = light.start("--scheduler", new_cluster.address)
    light.wait_until_begun(1)
    worker.kill()
    worker.wait()
    light.release()
    told = f"No worker is left at '{new_cluster.address}': the sweep waits for one.\n"
    until(lambda: told in light.errors(0).read_text(), "the line about workers")
    new_cluster.worker()

    assert light.ended(process) == (0, told)
    light.check()


def test_a_unit_that_kills_its_workers_ends_the_sweep(
    new_cluster: Cluster, light: LightSweep
) -> None:
    new_cluster.worker(nanny=True)
    (light.signs / "die").touch()

    status, errors = light.ended(light.start("--scheduler", new_cluster.address))

    assert status == 2
    error = errors.splitlines()[-1]  # above it may be that the sweep waits for the new worker
    assert error.startswith(
        "Error: A worker must live until it has done a unit; 4 that had 'boston_"
    )
    assert "Traceback" not in errors
    assert len(set(light.pids())) >= 4
    (light.signs / "die").unlink()
    assert light.ended(light.start("--scheduler", new_cluster.address)) == (0, "")
    light.check()


def test_a_lost_scheduler_is_told_and_the_rest_is_done_later(
    new_cluster: Cluster, light: LightSweep
) -> None:
    new_cluster.worker()
    light.hold("seeds-2-3")
    process = light.start("--scheduler", new_cluster.address)
    until(lambda: light.kept() == 1, "a unit kept")
    light.wait_until_begun(2)
    new_cluster.scheduler.kill()

    status, errors = light.ended(process)
    assert status == 2
    assert errors == (
        "Error: The Dask scheduler must live until the sweep has ended; the one at "
        f"'{new_cluster.address}' was lost, or dropped the sweep. What is done is kept: "
        "run it again.\n"
    )
    light.release()
    assert light.ended(light.start("--jobs", "1")) == (0, "")
    light.check()


def test_an_interrupted_sweep_takes_its_units_back(sound: Cluster, light: LightSweep) -> None:
    light.hold("seeds-2-3")
    process = light.start("--scheduler", sound.address)
    light.wait_until_begun(2)
    until(lambda: light.kept() == 1, "the first unit kept")
    os.killpg(process.pid, signal.SIGINT)

    assert light.ended(process) == (130, "Interrupted.\n")
    light.release()
    assert light.ended(light.start("--scheduler", sound.address)) == (0, "")
    assert len(light.begun()) == 5  # the one that the worker had begun is done again, no other
    light.check()


def test_the_longest_begin_first(sound: Cluster, light: LightSweep) -> None:
    process = light.start("--scheduler", sound.address)

    assert light.ended(process) == (0, "")
    assert ["absolute" in name for name in light.begun()] == [True, True, False, False]
    # Wherever a worker was started, backups are in the sweep's folder.
    assert {folder for _, _, folder in light.log()} == {str(light.out / "sweep" / "under-way")}
    light.check()


def test_what_the_work_refuses_is_one_line(sound: Cluster, light: LightSweep) -> None:
    (light.signs / "refuse").touch()

    ended = light.ended(light.start("--scheduler", sound.address))

    assert ended == (2, "Error: A rule; it is broken. Mend it.\n")


def test_what_goes_wrong_in_the_work_names_the_unit(sound: Cluster, light: LightSweep) -> None:
    (light.signs / "fail").touch()

    status, errors = light.ended(light.start("--scheduler", sound.address))

    assert status == 1
    assert "KeyError: 'of the work'" in errors
    assert f"This was in the unit '{light.begun()[0]}' of the sweep." in errors
    assert 'raise KeyError("of the work")' in errors


def test_the_exercises_give_the_same_bits_on_a_cluster(sound: Cluster, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "exercises.reproduce", "--exercise", "boston", "--quick"]
    tables = []
    for where in (["--jobs", "1"], ["--scheduler", sound.address]):
        out = tmp_path / where[0]
        answer = subprocess.run(
            [*command, "--edition", "2023", "--seeds", "2", *where, "--out", str(out)],
            env=environment(*PATHS),
            capture_output=True,
            text=True,
            timeout=2 * DEADLINE,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        tables.append((out / "sweep" / "seeds.csv").read_text())

    assert tables[0] == tables[1]
    assert tables[0].count("\n") == 5  # two seeds of two losses


def test_a_worker_elsewhere_has_a_folder_of_its_own(tmp_path: Path) -> None:
    unit = Unit(light_work.CONFIGURATIONS[0], (0, 1))
    work = partial(light_work.work, signs=tmp_path)

    done, outcome = cluster._on_worker(work, unit, tmp_path / "elsewhere")

    assert done == unit
    assert outcome.record.seeds == [0, 1]
    folder = Path((tmp_path / "begun").read_text().split()[2])
    assert folder != tmp_path / "elsewhere"
    assert not folder.exists()


@pytest.mark.parametrize(
    "address",
    ["", "foo", "127.0.0.1:8786", "http://127.0.0.1:80", "tcp://127.0.0.1", "tcp://:8786",
     "tcp://127.0.0.1:x", "tcp://127.0.0.1:99999", "inproc://1/2/3"],
)  # fmt: skip
def test_no_address(address: str) -> None:
    with pytest.raises(NnlossError) as caught:
        cluster.connect(address, light_work.work)

    assert caught.value.rule == f"--scheduler needs a Dask scheduler, not '{address}'"
    assert caught.value.found == "it is not an address such as tcp://127.0.0.1:8786"


@pytest.fixture
def refuses() -> str:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{there.getsockname()[1]}"


@pytest.fixture
def accepts_and_is_silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as there:
        yield f"tcp://127.0.0.1:{there.getsockname()[1]}"


@pytest.fixture
def drops_packets() -> Iterator[str]:
    """Offer a port whose queue is full: the system answers no one then."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as there:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(there.getsockname())
        yield f"tcp://127.0.0.1:{there.getsockname()[1]}"
        for each in waiting:
            each.close()


@pytest.fixture
def speaks_something_else() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as there:

        def greet() -> None:
            while True:
                try:
                    connection, _ = there.accept()
                except OSError:
                    return
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)

        threading.Thread(target=greet, daemon=True).start()
        yield f"tcp://127.0.0.1:{there.getsockname()[1]}"
        there.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def worker(sound: Cluster) -> str:
    return sound._told(sound.processes[1], "Start worker at:")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("refuses", "nothing answers there in 7 s"),
        ("accepts_and_is_silent", "nothing answers there in 7 s"),
        ("drops_packets", "nothing answers there in 7 s"),
        ("speaks_something_else", "what answers there is not a Dask scheduler"),
        ("worker", "that is the address of a Worker"),
    ],
)
def test_no_scheduler(
    request: pytest.FixtureRequest, light: LightSweep, place: str, found: str
) -> None:
    address = request.getfixturevalue(place)

    status, errors = light.ended(light.start("--scheduler", address))

    assert status == 2
    assert errors == (
        f"Error: --scheduler needs a Dask scheduler, not '{address}'; {found}. Start one with "
        "'dask scheduler', and workers with 'dask worker tcp://HOST:PORT --nthreads 1'.\n"
    )
    assert not light.out.exists()


def test_a_scheduler_without_workers(new_cluster: Cluster, light: LightSweep) -> None:
    status, errors = light.ended(light.start("--scheduler", new_cluster.address))

    assert status == 2
    assert errors == (
        f"Error: The Dask scheduler '{new_cluster.address}' needs a worker; it has none. "
        "Start one with 'dask worker tcp://HOST:PORT --nthreads 1'.\n"
    )
    assert not light.out.exists()


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("light_work.py", "", "Can't get attribute 'work'"),
        ("light_work.py", "import nowhere", "No module named 'nowhere'"),
        ("nnloss/__init__.py", "", "No module named 'nnloss.reproduction'"),
        ("numpy-0.1.dist-info/METADATA", "Version: 0.1", "has numpy 0.1, here is "),
    ],
)
def test_a_worker_that_has_not_what_is_here(
    sound: Cluster,
    tmp_path: Path,
    recwarn: pytest.WarningsRecorder,
    file: str,
    content: str,
    found: str,
) -> None:
    worker = sound.worker(paths=(foreign(tmp_path, file, content),))

    try:
        with pytest.raises(NnlossError) as caught:
            cluster.connect(sound.address, light_work.work)
    finally:
        worker.kill()
        worker.wait()

    assert found in caught.value.found
    assert not recwarn.list
    assert caught.value.remedy == "Install the same there, or start them where it can be imported"
    cluster.connect(sound.address, light_work.work).close()


def test_a_scheduler_that_has_not_what_is_here(tmp_path: Path) -> None:
    made = Cluster(tmp_path, foreign(tmp_path, "numpy-0.1.dist-info/METADATA", "Version: 0.1"))
    try:
        made.worker()
        with pytest.raises(NnlossError, match=r"the scheduler has numpy 0\.1, here is"):
            cluster.connect(made.address, light_work.work)
    finally:
        made.close()


def foreign(folder: Path, file: str, content: str) -> Path:
    """Make a folder to import from, with something else than what is installed here."""
    place = folder / "foreign" / file
    place.parent.mkdir(parents=True)
    place.write_text(content)
    return folder / "foreign"


def test_dask_is_not_needed_without_a_scheduler(light: LightSweep) -> None:
    code = (
        "import sys; sys.modules['dask'] = sys.modules['distributed'] = None\n"
        "from pathlib import Path; import light_work\n"
        f"light_work.main(Path({str(light.out)!r}), Path({str(light.signs)!r}), jobs=2)\n"
        "light_work.cluster.connect('tcp://127.0.0.1:1', light_work.work)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(*PATHS),
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )

    light.check()
    assert answer.stderr.splitlines()[-1].startswith(
        "nnloss.errors.NnlossError: --scheduler needs Dask; "
    )
    assert answer.stderr.endswith("Install it: pip install 'nnloss[cluster]'.\n")
