"""Runs a worker that a task manager of Flink starts: Beam's container contract, in the Python of this installation.

`firstseen-worker` asks the endpoint it is given for the options of its job, fetches what the job staged, and becomes
Beam's own worker in the same process. It installs nothing: firstseen and all it needs are there already.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.runners.parent import end_with_parent

ENDPOINTS = ("logging", "artifact", "provision", "control")
ASK_SECONDS = 60
# Beam stages a list of the launcher's packages with every job, for people to read; no worker does.
LISTS = {"submission_environment_dependencies.txt"}


def main() -> None:
    """Runs the worker until its job or its task manager is done with it."""
    arguments = parse(sys.argv[1:])
    folder: list[str] = []

    def tidy_up() -> None:
        for path in folder:
            shutil.rmtree(path, ignore_errors=True)

    def leave(*_: object) -> None:
        tidy_up()
        os._exit(0)

    # Before the imports, which take a second: the task manager may be gone or have changed its mind by then.
    end_with_parent(tidy_up=tidy_up)
    signal.signal(signal.SIGTERM, leave)
    from apache_beam.runners.worker import sdk_worker_main

    os.environ.update(environment(arguments, ask(arguments), folder))
    try:
        sdk_worker_main.main([])
    finally:
        tidy_up()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the worker's id and the endpoints that a runner hands to whatever it starts as a worker."""
    parser = argparse.ArgumentParser(
        prog="firstseen-worker",
        description="What a task manager of Flink starts for a job of firstseen; nothing to be typed.",
    )
    parser.add_argument("--id", required=True)
    for name in ENDPOINTS:
        parser.add_argument(f"--{name}_endpoint", default="", required=name == "provision")
    # Other versions of Beam may hand over more.
    return parser.parse_known_args(arguments)[0]


def ask(arguments: argparse.Namespace) -> Any:
    """Returns what the runner says of the job: a ProvisionInfo of Beam."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc

    with grpc.insecure_channel(arguments.provision_endpoint) as channel:
        provision = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        request = beam_provision_api_pb2.GetProvisionInfoRequest()
        return provision.GetProvisionInfo(request, metadata=identity(arguments), timeout=ASK_SECONDS).info


def environment(arguments: argparse.Namespace, info: Any, folder: list[str]) -> dict[str, str]:
    """Returns the variables that Beam's worker reads; the folder of staged files, if there are any, joins `folder`."""
    from apache_beam.runners.job.utils import struct_to_dict

    control = info.control_endpoint.url or arguments.control_endpoint
    logging = info.logging_endpoint.url or arguments.logging_endpoint
    variables = {
        "WORKER_ID": arguments.id,
        "PIPELINE_OPTIONS": json.dumps(struct_to_dict(info.pipeline_options)),
        "CONTROL_API_SERVICE_DESCRIPTOR": f'url: "{control}"',
        "LOGGING_API_SERVICE_DESCRIPTOR": f'url: "{logging}"',
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }
    if info.status_endpoint.url:
        variables["STATUS_API_SERVICE_DESCRIPTOR"] = f'url: "{info.status_endpoint.url}"'
    if staged := [one for one in info.dependencies if staged_name(one) not in LISTS]:
        folder.append(tempfile.mkdtemp(prefix="firstseen-worker-"))
        fetch(info.artifact_endpoint.url or arguments.artifact_endpoint, arguments, staged, Path(folder[0], "staged"))
        variables["SEMI_PERSISTENT_DIRECTORY"] = folder[0]
    return variables


def fetch(endpoint: str, arguments: argparse.Namespace, artifacts: Sequence[Any], folder: Path) -> None:
    """Fetches what the job staged, such as a pickled main session, into a new folder."""
    import grpc
    from apache_beam.portability.api import beam_artifact_api_pb2, beam_artifact_api_pb2_grpc

    folder.mkdir()
    with grpc.insecure_channel(endpoint) as channel:
        retrieval = beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceStub(channel)
        request = beam_artifact_api_pb2.ResolveArtifactsRequest(artifacts=artifacts)
        for artifact in retrieval.ResolveArtifacts(request, metadata=identity(arguments)).replacements:
            get = beam_artifact_api_pb2.GetArtifactRequest(artifact=artifact)
            with (folder / staged_name(artifact)).open("wb") as file:
                for part in retrieval.GetArtifact(get, metadata=identity(arguments)):
                    file.write(part.data)


def staged_name(artifact: Any) -> str:
    """Returns the name of a staged file, without any folder."""
    from apache_beam.portability.api import beam_runner_api_pb2

    role = beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(artifact.role_payload)
    return Path(role.staged_name or artifact.type_urn.rpartition(":")[2]).name


def identity(arguments: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """Returns by what the runner knows the worker."""
    return (("worker_id", arguments.id),)


if __name__ == "__main__":
    main()
