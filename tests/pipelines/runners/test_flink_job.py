"""Jobs on Flink from the launcher's side: no job and no job server is left by whoever stops waiting."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkRunner
from apache_beam.runners.runner import PipelineResult
from requests import ConnectTimeout, Response

from firstseen.commands.interruption import GRACE_SECONDS
from foundation.errors import FirstseenError, TemporaryError
from pipelines.runners import flink_job
from tests.conftest import REPOSITORY
from tests.processes import ends, is_running

# Stands in for Java: says where it is, and stays.
SERVER = "#!/bin/sh\necho $$ > {folder}/pid\nexec sleep 60\n"
DEAF = "#!/bin/sh\ntrap '' TERM\necho $$ > {folder}/pid\nwhile true; do sleep 1; done\n"


def options_of(folder: Path, script: str) -> PipelineOptions:
    """Returns options with a job server that is a script."""
    java, jar = folder / "java", folder / "server.jar"
    java.write_text(script.format(folder=folder))
    java.chmod(0o755)
    jar.touch()
    return PipelineOptions([f"--job_server_java_launcher={java}", f"--flink_job_server_jar={jar}"])


class Waiting(PipelineResult):
    """A job that the launcher is interrupted at."""

    def __init__(self, error: BaseException | None):
        super().__init__("RUNNING")
        self._error = error

    def wait_until_finish(self, duration: int | None = None) -> str:
        """Raises what strikes while one waits."""
        if self._error:
            raise self._error
        return "DONE"


class Answers:
    """Flink's REST API with three jobs, one of them ours; notes what is cancelled."""

    cancelled: list[str]
    status = 202
    trust_env = True

    def __init__(self) -> None:
        type(self).cancelled = []

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, *_: object, **__: object) -> "Answers":
        """Answers whatever is asked."""
        return self

    def json(self) -> Any:
        """Returns the jobs."""
        jobs = [("a", "other", "RUNNING"), ("b", "mine", "RUNNING"), ("c", "mine", "FINISHED")]
        return {"jobs": [{"jid": jid, "name": name, "state": state} for jid, name, state in jobs]}

    def patch(self, url: str, **_: object) -> Response:
        """Notes the address."""
        self.cancelled.append(url)
        answer = Response()
        answer.status_code = self.status
        return answer


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), RuntimeError("lost")])
def test_whoever_stops_waiting_cancels_the_job(error: BaseException | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """That job alone, if it still runs; a job that is done is left alone, and the job server is ended in any case."""
    monkeypatch.setattr(flink_job.requests, "Session", Answers)
    Answers.cancelled = []
    ended: list[int] = []
    job = flink_job.FlinkJob(Waiting(error), "http://host:1", "mine", on_end=lambda _: ended.append(1))
    if error is None:
        assert job.wait_until_finish() == "DONE"
    else:
        with pytest.raises(type(error)):
            job.wait_until_finish()
    assert Answers.cancelled == ([] if error is None else ["http://host:1/jobs/b?mode=cancel"])
    assert ended == [1]


def test_a_job_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """By the last line that Java wrote; nothing stays."""
    server = flink_job.JobServer(options_of(tmp_path, "#!/bin/sh\necho no memory >&2\nexit 1\n"))
    with pytest.raises(FirstseenError, match="job server ended before it answered: no memory"):
        server.start()
    server.stop()
    server.stop()


def test_a_job_server_that_does_not_leave_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java itself, and not the shell before it alone."""
    monkeypatch.setattr(flink_job, "START_SECONDS", 1)
    server = flink_job.JobServer(options_of(tmp_path, DEAF))
    with pytest.raises(TemporaryError, match="does not answer after 1 s: it said nothing"):
        server.start()
    pid = int((tmp_path / "pid").read_text())
    assert is_running(pid)
    server.stop(0.2)
    assert ends(pid)


def test_an_interruption_says_in_time_that_a_job_was_not_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also if neither the job server nor the cluster answers: the command is ended before long, wherever it is."""
    monkeypatch.setattr(flink_job, "START_SECONDS", 1)
    server = flink_job.JobServer(options_of(tmp_path, DEAF))
    with pytest.raises(TemporaryError):
        server.start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        master = f"http://127.0.0.1:{silent.getsockname()[1]}"
        job = flink_job.FlinkJob(Waiting(KeyboardInterrupt()), master, "mine", on_end=server.stop)
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            job.wait_until_finish()
    assert time.monotonic() - started < GRACE_SECONDS
    assert ["job mine was not cancelled" in one for one in caplog.messages] == [True]


LAUNCHER = """
import sys
from pathlib import Path
from pipelines.runners.flink_job import JobServer
from tests.pipelines.runners.test_flink_job import SERVER, options_of
JobServer(options_of(Path(sys.argv[1]), SERVER)).start()
"""


def test_a_job_server_ends_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    """Its launcher can tell it nothing then."""
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, tmp_path],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    ) as launcher:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.1)
        pid = int((tmp_path / "pid").read_text())
        assert is_running(pid)
        launcher.send_signal(signal.SIGKILL)
    assert ends(pid)


def test_a_job_that_shows_late_is_cancelled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was being submitted when the launcher was interrupted."""
    looks: list[int] = []

    class Late(Answers):
        def json(self) -> Any:
            looks.append(1)
            return super().json() if len(looks) > 2 else {"jobs": []}

    monkeypatch.setattr(flink_job.requests, "Session", Late)
    job = flink_job.FlinkJob(Waiting(KeyboardInterrupt()), "http://host:1", "mine", on_end=lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        job.wait_until_finish()
    assert Late.cancelled == ["http://host:1/jobs/b?mode=cancel"]


class Silent(Answers):
    """An API that nobody answers at."""

    def get(self, *_: object, **__: object) -> "Answers":
        """Waits in vain."""
        raise ConnectTimeout("no answer")


class Forbidding(Answers):
    """An API that lets nobody cancel, as `web.cancel.enable: false` does."""

    status = 404


class Faster(Answers):
    """An API whose job came to its end before it could be cancelled."""

    status = 409


@pytest.mark.parametrize(("api", "words"), [(Silent, "ConnectTimeout"), (Forbidding, "HTTPError"), (Faster, None)])
def test_a_job_that_cannot_be_cancelled_is_told(
    api: type[Answers], words: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, with where to do it by hand: it holds slots, and goes on writing."""
    monkeypatch.setattr(flink_job.requests, "Session", api)
    flink_job.FlinkJob(Waiting(None), "http://host:1", "mine", on_end=lambda _: None).cancel()
    expected = rf"job mine was not cancelled on Flink \({words}\) .*; expected it to end: look for it at http://host:1,"
    assert [bool(re.match(expected, one)) for one in caplog.messages] == ([True] if words else [])


def test_no_two_jobs_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do those that a user gives one name: a colleague's would be cancelled with it."""
    monkeypatch.setattr(FlinkRunner, "run_portable_pipeline", lambda *_: Waiting(None))
    names = []
    for flags in (["--job_name=nightly"], ["--job_name=nightly"], []):
        options = PipelineOptions(["--flink_master=host:1", *flags])
        flink_job.FlinkJobRunner().run_portable_pipeline(None, options)
        names.append(options.view_as(GoogleCloudOptions).job_name)
    assert len(set(names)) == 3
    assert [name.rpartition("-")[0] for name in names] == ["nightly", "nightly", "firstseen"]
