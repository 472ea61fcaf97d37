"""Runs a job on a Flink cluster, with a job server of its own that ends with the job, however that ends.

Beam's own Flink runner takes Ctrl-C for itself, leaves the job on the cluster when that strikes, and its job server
running when the launcher is killed.
"""

import logging
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import requests
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    JobServerOptions,
    PipelineOptions,
)
from apache_beam.portability.api import beam_job_api_pb2_grpc
from apache_beam.runners.portability import flink_runner, job_server
from apache_beam.runners.runner import PipelineResult

from foundation.errors import FirstseenError, TemporaryError

START_SECONDS = 120
END_SECONDS = 5.0
# An interrupted command is ended after 3 s, wherever it is, and has to say before that what it could not do. Half a
# second is for its job server, and the rest for the cluster, where a job that was being submitted may show only now.
END_AT_ONCE_SECONDS = 0.5
CANCEL_SECONDS = 2.0
ENDED_MEANWHILE = 409
# A shell between the two ends the job server when the launcher's end of the pipe closes, even if that was killed; one
# that is deaf to that is killed.
UNTIL_STDIN_ENDS = (
    'exec 3<&0; "$@" </dev/null & server=$!; '
    "{ cat <&3 >/dev/null; kill $server; sleep 5; kill -9 $server; } 2>/dev/null & wait $server"
)
ENDED = ("FINISHED", "FAILED", "CANCELED")

_log = logging.getLogger(__name__)


class FlinkJobRunner(flink_runner.FlinkRunner):
    """Beam's Flink runner, less what it does to signals."""

    def __init__(self) -> None:
        super().__init__()
        self._server: JobServer | None = None

    def default_job_server(self, options: PipelineOptions) -> job_server.JobServer:
        """Returns the job server to start, unless the user names one that runs."""
        if options.view_as(FlinkRunnerOptions).flink_submit_uber_jar:
            return super().default_job_server(options)
        self._server = JobServer(options)
        return self._server

    def run_portable_pipeline(self, pipeline: Any, options: PipelineOptions) -> "FlinkJob":
        """Submits the job, and returns at once."""
        flink, cloud = options.view_as(FlinkRunnerOptions), options.view_as(GoogleCloudOptions)
        # Taken now: of a job that needs no job server, Beam sets another one.
        master = flink.flink_master = self.add_http_scheme(flink.flink_master)
        # Flink's number of the job is not told to the launcher, which finds its job by the name; that of a user may be
        # the name of a colleague's job, too.
        cloud.job_name = f"{cloud.job_name or 'firstseen'}-{uuid.uuid4().hex[:12]}"
        try:
            job = super().run_portable_pipeline(pipeline, options)
        except BaseException:
            self._stop_server(END_AT_ONCE_SECONDS)
            raise
        return FlinkJob(job, master, cloud.job_name, on_end=self._stop_server)

    def _stop_server(self, within_seconds: float) -> None:
        if self._server:
            self._server.stop(within_seconds)


class FlinkJob(PipelineResult):
    """A job that was submitted: whoever stops waiting for it cancels it, by its name at the cluster's REST API.

    No other job may have the name. `on_end` ends its job server, within so many seconds.
    """

    def __init__(self, job: PipelineResult, master: str, name: str, *, on_end: Callable[[float], None]):
        super().__init__(None)
        self._job, self._master, self._name, self._on_end = job, master, name, on_end

    @property
    def state(self) -> str:
        """Returns the state of the job, as Beam names it."""
        return str(self._job.state)

    def wait_until_finish(self, duration: int | None = None) -> str:
        """Waits for the end of the job; raises what the runner makes of its failure."""
        try:
            state = str(self._job.wait_until_finish(duration))
        except BaseException:
            # The job server first: it may be submitting the job at this moment.
            self._on_end(END_AT_ONCE_SECONDS)
            self.cancel()
            raise
        self._on_end(END_SECONDS)
        return state

    def cancel(self) -> None:
        """Cancels what is left of the job on the cluster, or says who has to: the job server can only stop waiting."""
        try:
            with requests.Session() as session:
                session.trust_env = False
                deadline = time.monotonic() + CANCEL_SECONDS
                while not self._cancel_shown(session, deadline) and time.monotonic() < deadline:
                    time.sleep(0.2)
        except (requests.RequestException, LookupError, TypeError, ValueError) as error:
            _log.warning(
                "job %s was not cancelled on Flink (%s) and may go on there; expected it to end: look for it at %s, in "
                "a browser, and cancel it",
                self._name,
                type(error).__name__,
                self._master,
            )

    def _cancel_shown(self, session: requests.Session, deadline: float) -> bool:
        jobs = session.get(f"{self._master}/jobs/overview", timeout=timeout_until(deadline)).json()["jobs"]
        own = [one for one in jobs if one["name"] == self._name]
        for one in own:
            if one["state"] not in ENDED:
                answer = session.patch(f"{self._master}/jobs/{one['jid']}?mode=cancel", timeout=timeout_until(deadline))
                if answer.status_code != ENDED_MEANWHILE:
                    answer.raise_for_status()
        return bool(own)


def timeout_until(deadline: float) -> float:
    """Returns the timeout of a request that has to be over by then: half of it, to connect and to be answered."""
    return max(0.1, deadline - time.monotonic()) / 2


class JobServer(job_server.JobServer):
    """Beam's job server, for one job; a Java process that translates the job for Flink and submits it."""

    def __init__(self, options: PipelineOptions):
        self._options = options
        self._open = ExitStack()
        self._end_seconds = END_SECONDS

    def start(self) -> beam_job_api_pb2_grpc.JobServiceStub:
        """Starts the process and waits until it answers; raises FirstseenError with its last line if it ends."""
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="firstseen-job-")))
        options = self._options.view_as(JobServerOptions)
        options.artifacts_dir = options.artifacts_dir or str(folder)
        command, endpoint = flink_runner.FlinkJarJobServer(self._options).subprocess_cmd_and_endpoint()
        log = folder / "log"
        with log.open("wb") as output:
            # In a session of its own it gets no Ctrl-C from the terminal: the job is cancelled first.
            process = subprocess.Popen(  # noqa: S603 (the Java and the jar that the user named)
                ["/bin/sh", "-c", UNTIL_STDIN_ENDS, "sh", *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._open.callback(lambda: end(process, self._end_seconds))
        # What crosses it is the whole job, and messages have no limit that fits.
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        channel = self._open.enter_context(grpc.insecure_channel(endpoint, options=unlimited))
        wait_until_ready(channel, process, log)
        return beam_job_api_pb2_grpc.JobServiceStub(channel)

    def stop(self, within_seconds: float = END_SECONDS) -> None:
        """Ends the process, and removes its files; a second call does nothing."""
        self._end_seconds = within_seconds
        self._open.close()


def wait_until_ready(channel: grpc.Channel, process: subprocess.Popen, log: Path) -> None:
    """Waits until the job server answers; raises FirstseenError if it ends, and TemporaryError if it takes too long."""
    ready = grpc.channel_ready_future(channel)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(grpc.FutureTimeoutError):
            ready.result(timeout=0.2)
            return
        if process.poll() is not None:
            raise FirstseenError(f"Beam's job server ended before it answered: {last_line(log)}")
    raise TemporaryError(f"Beam's job server does not answer after {START_SECONDS} s: {last_line(log)}")


def last_line(log: Path) -> str:
    """Returns the last line of a log."""
    return (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1][:300]


def end(process: subprocess.Popen, within_seconds: float) -> None:
    """Ends a process that ends with its input, and what it started, by force after these seconds; and forgets it."""
    if process.stdin:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(within_seconds)
    # The shell alone may be gone by now, or Java may have been too busy to hear: the group is that of its session.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
