"""Completes the flags of a job on Google Cloud Dataflow, and says what a step needs of the machines that run it.

The defaults are for workers of one image, infra/container/Dockerfile; docs/dataflow.md has the reasons and the sizes.
"""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from foundation.checks import require_choice
from foundation.errors import UsageError
from pipelines.runners.names import DATAFLOW

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

BEAM_NAME = "DataflowRunner"
# Four cores decode what one encoder takes, and each decoder may take 4 GiB of the 16 at the worst.
MACHINE_TYPE = "n2-standard-4"
# Without a limit the service takes as many machines as it finds worth it, and a mistake costs as much.
MAX_WORKERS = 20
# A segment of a million photos, the most by default, takes 21 GB of temporary files; the rest is for the image.
DISK_GIGABYTES = 60
# One thread reads and writes a chunk in the bucket while the other one's is decoded and embedded; each holds a chunk.
THREADS = 2
# Beam would start one Python process per core otherwise, each with an encoder of its own and a decoder per core.
ONE_PROCESS = "no_use_multiple_sdk_containers"
# The machines that Google Cloud attaches these to: a GPU takes a machine type of its own family.
ACCELERATORS = {
    "nvidia-l4": "g2-standard-8",
    "nvidia-tesla-t4": "n1-standard-8",
    "nvidia-tesla-a100": "a2-highgpu-1g",
}
# What Dataflow's own processes on a worker take, by its guide to out-of-memory errors.
WORKER_BYTES = 1_000_000_000
# A name of fewer characters is no bucket's, and Beam would look for another bucket on the network, for minutes.
_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/.*)?")


def complete(beam_flags: list[str]) -> tuple[str, list[str]]:
    """Returns Beam's name of the runner, and the flags with this project's defaults where the user gave none.

    Raises UsageError if a flag is missing that Dataflow cannot do without, or if there are no credentials.
    """
    if find_spec("apitools") is None:
        raise UsageError("--runner dataflow takes Beam's Google Cloud libraries; expected pip install 'firstseen[gcp]'")
    from apache_beam.options.pipeline_options import PipelineOptions

    given = PipelineOptions(beam_flags).get_all_options(drop_default=True)
    _require_flags(given)
    # A job that is only translated, or that goes to another endpoint than Google's, asks for no credentials.
    if not any(given.get(name) for name in ("dry_run", "no_auth", "dataflow_endpoint")):
        _require_credentials()
    defaults = {
        "machine_type": f"--worker_machine_type={MACHINE_TYPE}",
        "disk_size_gb": f"--disk_size_gb={DISK_GIGABYTES}",
        "max_num_workers": f"--max_num_workers={max(MAX_WORKERS, given.get('num_workers') or 0)}",
        "autoscaling_algorithm": "--autoscaling_algorithm=THROUGHPUT_BASED",
        "number_of_worker_harness_threads": f"--number_of_worker_harness_threads={THREADS}",
    }
    flags = [flag for name, flag in defaults.items() if name not in given]
    # This flag adds to a list: the user's own experiments stay beside it.
    if not any(name.endswith("use_multiple_sdk_containers") for name in given.get("experiments", [])):
        flags.append(f"--experiments={ONE_PROCESS}")
    return BEAM_NAME, [*beam_flags, *flags]


def is_dataflow(runner: str) -> bool:
    """Returns whether the runner is Dataflow, by this project's name or by Beam's."""
    return runner in (DATAFLOW, BEAM_NAME)


def require_accelerator(runner: str, accelerator: str | None) -> None:
    """Raises UsageError for an accelerator that is not known, or that the runner cannot give to a step."""
    if accelerator is None:
        return
    require_choice("accelerator", accelerator, tuple(ACCELERATORS))
    if not is_dataflow(runner):
        raise UsageError(
            f"--accelerator {accelerator} is for --runner dataflow; with --runner {runner} expected none: a GPU of the "
            "machine is used where TensorFlow for GPUs finds one"
        )


def is_translation(runner: str, beam_flags: Sequence[str]) -> bool:
    """Returns whether a job is only to be translated, by its runner and the flags for Beam."""
    if not is_dataflow(runner):
        return False
    from apache_beam.options.pipeline_options import PipelineOptions

    return translated_to(PipelineOptions(list(beam_flags))) is not None


def translated_to(options: "PipelineOptions") -> str | None:
    """Returns what becomes of a job that Dataflow is not to run, in words; None of one that it runs.

    Other runners pass over these flags.
    """
    given = options.get_all_options()
    if template := given["template_location"]:
        return f"its description lies at {template}, and its graph where --staging_location says"
    return "--dry_run keeps nothing of it" if given["dry_run"] else None


def require_shared(runner: str, beam_flags: Sequence[str], *places: str) -> None:
    """Raises UsageError for a store or an archive of this machine, which no worker of Dataflow reaches.

    A job that is only translated may have one.
    """
    if not is_dataflow(runner) or is_translation(runner, beam_flags):
        return
    for place in places:
        if not place.startswith(("gs://", "s3://")):
            raise UsageError(
                f"--runner {runner} cannot reach {place}, which is of this machine; expected gs://BUCKET/FOLDER, for "
                "the store, the archive and the queries"
            )


def resource_hints(
    runner: str, *, memory_bytes: int | None = None, accelerator: str | None = None
) -> dict[str, str | int]:
    """Returns what a step needs of its worker, as arguments of Beam's `with_resource_hints`.

    Nothing for other runners than Dataflow: a step with hints gets an environment of its own, and every other runner
    would start a second set of worker processes for it.
    """
    require_accelerator(runner, accelerator)
    if not is_dataflow(runner):
        return {}
    hints: dict[str, str | int] = {}
    if memory_bytes is not None:
        hints["min_ram"] = memory_bytes + WORKER_BYTES
    if accelerator is not None:
        machine = ACCELERATORS[accelerator]
        hints["accelerator"] = f"type:{accelerator};count:1;machine_type:{machine};install-nvidia-driver"
    return hints


def _require_flags(given: dict) -> None:
    needed = {
        "project": "--project=PROJECT, which pays for the job",
        "region": "--region=REGION, such as europe-west1, where the bucket lies",
        "temp_location": "--temp_location=gs://BUCKET/FOLDER for the job's own files",
    }
    # A graph that is only looked at runs on no machine.
    if not given.get("dry_run"):
        needed["sdk_container_image"] = "--sdk_container_image=IMAGE, built from infra/container/Dockerfile"
    for name, what in needed.items():
        if not given.get(name):
            raise UsageError(f"--runner dataflow received no --{name}; expected after `--` {what}")
    # Beam leaves other places alone where the job goes to an endpoint that is not Google's.
    if "dataflow_endpoint" not in given and not _BUCKET.fullmatch(given["temp_location"]):
        raise UsageError(
            f"--temp_location={given['temp_location']} is in no bucket; expected gs://BUCKET/FOLDER, and a bucket's "
            "name has 3 characters or more"
        )


def _require_credentials() -> None:
    # Beam looks for them, too, and goes on looking for minutes where there are none.
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        google.auth.default()
    except DefaultCredentialsError as error:
        raise UsageError(
            "--runner dataflow found no credentials of Google Cloud; expected `gcloud auth application-default login` "
            "or GOOGLE_APPLICATION_CREDENTIALS=FILE"
        ) from error
