"""Flags of a job on Flink: what the cluster says is filled in, what users say stands, and what is missing is named."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from firstseen.commands.options import flags_of
from foundation.errors import TemporaryError, UsageError
from pipelines.runners import flink
from pipelines.runners.names import check_runner

OVERVIEW = {"flink-version": "1.19.3", "slots-total": 4, "slots-available": 3, "taskmanagers": 2}
NEWER = {**OVERVIEW, "flink-version": "1.20.1"}
RESTARTS = {"restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.delay": "6 s"}


@contextmanager
def job_manager(overview: Any = OVERVIEW, config: dict[str, str] | None = None) -> Iterator[str]:
    """Yields the address of a REST API that answers as Flink's does."""
    said = {
        "/overview": overview,
        "/jobmanager/config": [{"key": key, "value": value} for key, value in (config or {}).items()],
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said[self.path]).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to start in with a job server, and a Java; returns the jar."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(flink.WORK, raising=False)
    monkeypatch.setattr(flink.shutil, "which", lambda program: f"/usr/bin/{program}")
    jar = tmp_path / flink.JOB_SERVER
    jar.parent.mkdir()
    jar.touch()
    return jar


def options_of(flags: list[str]) -> dict[str, str]:
    """Returns the flags by name; of several of one name, the last."""
    return dict(flag.removeprefix("--").split("=", 1) for flag in flags if "=" in flag)


def test_an_address_is_all_that_a_user_has_to_say(installed: Path) -> None:
    """Slots, workers, the job server and how long a worker is kept follow from it."""
    with job_manager(config=RESTARTS) as master:
        runner, flags = flink.complete([f"--flink_master={master}"])
    options = options_of(flags)
    assert runner == flink.RUNNER
    assert options["parallelism"] == "3"
    assert options["environment_type"] == "PROCESS"
    assert json.loads(options["environment_config"]) == {"command": "firstseen-worker"}
    assert options["environment_cache_millis"] == "2000"
    assert options["flink_job_server_jar"] == str(installed)
    assert options["expansion_port"] == "-1"


def test_what_the_user_says_stands(tmp_path: Path) -> None:
    """No flag of theirs is given a second time."""
    own = tmp_path / "flink-1.19-own.jar"
    own.touch()
    given = [
        "--parallelism=4",
        "--environment_type=DOCKER",
        "--environment_cache_millis=7",
        f"--flink_job_server_jar={own}",
        "--job_name=mine",
        "--job_server_jvm_property=-Xmx1g",
    ]
    with job_manager() as master:
        _, flags = flink.complete([f"--flink_master={master}", *given])
    assert set(given) <= set(flags)
    names = [flag.partition("=")[0] for flag in flags]
    assert len(names) == len(set(names))
    assert "--environment_config" not in names


@pytest.mark.parametrize(
    ("config", "kept_ms"),
    [
        ({}, 2_000),
        ({"restart-strategy": "none"}, 2_000),
        (RESTARTS, 2_000),
        ({"restart-strategy.type": "fixed-delay"}, 333),
        ({"restart-strategy": "failure-rate", "restart-strategy.failure-rate.delay": "1500 ms"}, 500),
        ({"restart-strategy.type": "exponential-delay"}, 333),
        ({"restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.delay": "PT1M"}, 0),
        ({"restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.delay": "1 min"}, 2_000),
    ],
)
def test_a_worker_is_forgotten_before_a_restart(config: dict[str, str], kept_ms: int) -> None:
    """Flink would start again with one that died, and again, until it gave up."""
    assert flink.choose_cache_ms(config) == kept_ms


@pytest.mark.parametrize(
    ("overview", "flags", "kind", "message"),
    [
        ({**OVERVIEW, "slots-available": 0}, [], TemporaryError, "no free slot of 4; expected one"),
        ({**OVERVIEW, "slots-total": 0, "slots-available": 0}, [], TemporaryError, "by --parallelism=N after `--`"),
        (NEWER, [], UsageError, r"runs Flink 1.20.1, but beam-.*jar is for 1.19; expected one"),
        ({"name": "another service"}, [], UsageError, "is not Flink's REST API; expected HOST:PORT"),
        ([], [], UsageError, "is not Flink's REST API"),
        (OVERVIEW, ["--flink_job_server_jar=/nowhere.jar"], UsageError, "/nowhere.jar is not there; expected the jar"),
    ],
)
def test_a_cluster_that_does_not_fit_is_told_before_the_run(
    overview: Any, flags: list[str], kind: type[Exception], message: str
) -> None:
    """In one line that names what was found, and what to do."""
    with job_manager(overview) as master, pytest.raises(kind, match=message):
        flink.complete([f"--flink_master={master}", *flags])


def test_a_cluster_that_does_not_answer_may_later() -> None:
    """The scheduler tries again; without an address there is nothing to try."""
    with job_manager() as master:
        pass
    with pytest.raises(TemporaryError, match=f"no job manager of Flink answers at {master}; expected"):
        flink.complete([f"--flink_master={master}"])
    with pytest.raises(UsageError, match="expected --flink-master HOST:PORT"):
        flink.complete([])


def without_jar(jar: Path, _: pytest.MonkeyPatch) -> None:
    """Removes the job server."""
    jar.unlink()


def without_java(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves no Java on PATH."""
    monkeypatch.setattr(flink.shutil, "which", lambda _: None)


@pytest.mark.parametrize(
    ("remove", "message", "remedy"),
    [
        (
            without_jar,
            r"no job server of Beam for Flink 1\.19\.3: .* expected that \(run infra",
            "--flink_version=1.19",
        ),
        (without_java, "java is not on PATH.* expected a Java of 11 or 17", "--flink_submit_uber_jar"),
    ],
)
def test_what_submits_a_job_has_to_be_there(
    installed: Path,
    monkeypatch: pytest.MonkeyPatch,
    remove: Callable[[Path, pytest.MonkeyPatch], None],
    message: str,
    remedy: str,
) -> None:
    """Unless the remedy that the message names is taken, or a job server runs already."""
    remove(installed, monkeypatch)
    with job_manager() as master:
        with pytest.raises(UsageError, match=message) as caught:
            flink.complete([f"--flink_master={master}"])
        assert remedy in str(caught.value)
        flink.complete([f"--flink_master={master}", remedy])
        flink.complete([f"--flink_master={master}", "--job_endpoint=127.0.0.1:8099"])


def test_the_option_of_the_command_line_becomes_beams_flag() -> None:
    """What stands after `--` comes later and wins; with another runner the option would do nothing."""
    assert flags_of(["--parallelism=2"], runner="flink", flink_master="host:1") == [
        "--flink_master=host:1",
        "--parallelism=2",
    ]
    assert flags_of(None, runner="local", flink_master=None) == []
    with pytest.raises(UsageError, match="--flink-master is of no use to --runner local; expected --runner flink"):
        flags_of(None, runner="local", flink_master="host:1")


def test_the_job_server_is_looked_for_where_it_was_made(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scripts put it elsewhere by the same variable."""
    elsewhere = installed.rename(tmp_path / installed.name)
    monkeypatch.setenv("FLINK_WORK", str(tmp_path))
    with job_manager() as master:
        _, flags = flink.complete([f"--flink_master={master}"])
    assert options_of(flags)["flink_job_server_jar"] == str(elsewhere)


@pytest.mark.parametrize("slots", [0, 2])
def test_a_cluster_that_makes_slots_on_demand_takes_any_number(slots: int) -> None:
    """On Kubernetes and YARN there may be none before a job asks; a fixed cluster makes the job wait."""
    wanted = flink.choose_parallelism(flink.Cluster("1.19.3", slots, slots, {}), "host:1", 4)
    assert wanted == 4


def test_work_is_cut_for_all_slots_or_those_that_are_wanted() -> None:
    """Those that are taken now may be free when the listing is done: of a small archive each of them has some."""
    with job_manager() as master:
        flags = [f"--flink_master={master}"]
        assert check_runner("flink", workers=1, beam_flags=flags) == OVERVIEW["slots-total"] > 3
        assert check_runner("flink", workers=1, beam_flags=[*flags, "--parallelism=2"]) == 2
