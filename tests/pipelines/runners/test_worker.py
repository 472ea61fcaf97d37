"""The worker of a cluster: it asks for its job as Beam's containers do, fetches what was staged, and leaves tidily."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from apache_beam.portability.api import (
    beam_artifact_api_pb2,
    beam_artifact_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    beam_runner_api_pb2,
)

from pipelines.runners import worker
from tests.conftest import REPOSITORY

LIST = "submission_environment_dependencies.txt"


class Provision(beam_provision_api_pb2_grpc.ProvisionServiceServicer):
    """Says what the job is, to the worker that it is for."""

    def __init__(self, info: Any):
        self.info, self.asked_by = info, ""

    def GetProvisionInfo(self, _: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 (named by Beam)
        """Returns the job."""
        self.asked_by = dict(context.invocation_metadata())["worker_id"]
        return beam_provision_api_pb2.GetProvisionInfoResponse(info=self.info)


class Artifacts(beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceServicer):
    """Hands out files whose content is their name, in two parts."""

    def ResolveArtifacts(self, request: Any, _: Any) -> Any:  # noqa: N802 (named by Beam)
        """Returns what was asked for."""
        return beam_artifact_api_pb2.ResolveArtifactsResponse(replacements=request.artifacts)

    def GetArtifact(self, request: Any, _: Any) -> Iterator[Any]:  # noqa: N802 (named by Beam)
        """Yields the file."""
        content = worker.staged_name(request.artifact).encode()
        yield beam_artifact_api_pb2.GetArtifactResponse(data=content[:3])
        yield beam_artifact_api_pb2.GetArtifactResponse(data=content[3:])


@contextmanager
def job(*staged: str) -> Iterator[tuple[str, Provision]]:
    """Yields the endpoint of a job that staged these files, and what serves it."""
    roles = [beam_runner_api_pb2.ArtifactStagingToRolePayload(staged_name=name) for name in staged]
    info = beam_provision_api_pb2.ProvisionInfo(
        runner_capabilities=["first", "second"],
        dependencies=[beam_runner_api_pb2.ArtifactInformation(role_payload=role.SerializeToString()) for role in roles],
    )
    info.pipeline_options.update({"beam:option:job_name:v1": "night"})
    server, provision = grpc.server(ThreadPoolExecutor(2)), Provision(info)
    endpoint = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    info.control_endpoint.url, info.artifact_endpoint.url = "127.0.0.1:1", endpoint
    beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(provision, server)
    beam_artifact_api_pb2_grpc.add_ArtifactRetrievalServiceServicer_to_server(Artifacts(), server)
    server.start()
    try:
        yield endpoint, provision
    finally:
        server.stop(None).wait()


def arguments_of(endpoint: str) -> list[str]:
    """Returns what a task manager starts a worker with."""
    return ["--id=1-1", "--logging_endpoint=127.0.0.1:2", f"--provision_endpoint={endpoint}", "--of_a_later_beam=1"]


def test_the_worker_learns_its_job_from_the_endpoint() -> None:
    """By the variables that Beam's worker reads; a list of packages that is for people makes no folder."""
    with job(LIST) as (endpoint, provision):
        arguments = worker.parse(arguments_of(endpoint))
        folder: list[str] = []
        variables = worker.environment(arguments, worker.ask(arguments), folder)
    assert provision.asked_by == "1-1"
    assert json.loads(variables.pop("PIPELINE_OPTIONS")) == {"beam:option:job_name:v1": "night"}
    assert variables == {
        "WORKER_ID": "1-1",
        "CONTROL_API_SERVICE_DESCRIPTOR": 'url: "127.0.0.1:1"',
        "LOGGING_API_SERVICE_DESCRIPTOR": 'url: "127.0.0.1:2"',
        "RUNNER_CAPABILITIES": "first second",
    }
    assert folder == []


def test_what_the_job_staged_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, and into the worker's own folder: a name with a folder in it leads nowhere else."""
    monkeypatch.setattr(worker.tempfile, "tempdir", str(tmp_path))
    with job(LIST, "pickled_main_session", "../../outside.py") as (endpoint, _):
        arguments = worker.parse(arguments_of(endpoint))
        folder: list[str] = []
        variables = worker.environment(arguments, worker.ask(arguments), folder)
    assert folder == [variables["SEMI_PERSISTENT_DIRECTORY"]]
    staged = {path.name: path.read_text() for path in Path(folder[0], "staged").iterdir()}
    assert staged == {"pickled_main_session": "pickled_main_session", "outside.py": "outside.py"}


def test_a_worker_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """Neither a process nor the files that it fetched."""
    with (
        job("pickled.py") as (endpoint, _),
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.runners.worker", *arguments_of(endpoint)],
            env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("*/staged/pickled.py")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_worker_is_told_to_leave_before_beam_is_there(run_python: Callable[[str], str]) -> None:
    """The module itself imports neither Beam nor gRPC: its task manager may be gone before they are loaded."""
    code = (
        "import sys, pipelines.runners.worker; print([name for name in ('apache_beam', 'grpc') if name in sys.modules])"
    )
    assert run_python(code).strip() == "[]"
