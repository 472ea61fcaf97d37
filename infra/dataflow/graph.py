"""Translates the jobs for Dataflow without network or credentials, and writes docs/dataflow-graph.md from the graphs.

python -m infra.dataflow.graph
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from apache_beam.portability.api import beam_runner_api_pb2
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "dataflow-graph.md"
IMAGE = "REGION-docker.pkg.dev/PROJECT/firstseen/worker:TAG"
# The program ends at once where Python opens a connection or looks up a name: what it writes, it wrote alone.
ALONE = """
import os, runpy, sys

def end(event, given):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        os.write(2, f"contacted: {event} {given}".encode())
        os._exit(99)

sys.addaudithook(end)
"""
FIRSTSEEN = ALONE + 'runpy.run_module("firstseen", run_name="__main__")'
FLEX_TEMPLATE = ALONE + f'runpy.run_path({str(Path(__file__).with_name("flex_template.py"))!r}, run_name="__main__")'


class Translated(NamedTuple):
    """What a command for Dataflow left: the job that would be sent, and its graph."""

    job: dict[str, Any]
    graph: beam_runner_api_pb2.Pipeline
    store: Path

    @property
    def steps(self) -> dict[str, beam_runner_api_pb2.PTransform]:
        """The steps of the job by name, without what they are made of, unless a part needs a worker of its own."""
        (root,) = self.graph.root_transform_ids
        return {step.unique_name: step for step in self._parts(root)}

    def _parts(self, step: str) -> Iterator[beam_runner_api_pb2.PTransform]:
        transforms = self.graph.components.transforms
        for one in transforms[step].subtransforms:
            if any(self._hints(part) for part in transforms[one].subtransforms):
                yield from self._parts(one)
            else:
                yield transforms[one]

    def hints(self, step: str) -> dict[str, str]:
        """What a step needs of its worker, by the name of the hint."""
        transforms = self.graph.components.transforms
        found = self._hints(next(key for key, one in transforms.items() if one.unique_name == step))
        return {urn.split(":")[2]: value.decode() for urn, value in sorted(found.items())}

    def _hints(self, step: str) -> Mapping[str, bytes]:
        components = self.graph.components
        environment = components.environments.get(components.transforms[step].environment_id)
        return environment.resource_hints if environment else {}

    def coders(self, step: str) -> list[str]:
        """How what a step gives is written, by kinds of coders; a step that only writes files gives something, too."""
        outputs = self.steps[step].outputs.values()
        return [self._coder(self.graph.components.pcollections[one].coder_id) for one in outputs]

    def _coder(self, key: str) -> str:
        coder = self.graph.components.coders[key]
        parts = ", ".join(self._coder(one) for one in coder.component_coder_ids)
        return coder.spec.urn.split(":")[2] + (f"({parts})" if parts else "")


def translate(command: list[str], store: Path, folder: Path) -> Translated:
    """Returns what Dataflow would get of a command of firstseen that works on a store; raises as `translated` does."""
    words = [*command, "--store", str(store), "--runner", "dataflow", "--", "--no_auth"]
    return translated(FIRSTSEEN, words, command[0], store, folder)


def translated(program: str, words: list[str], name: str, store: Path, folder: Path) -> Translated:
    """Returns what Dataflow would get of a program, given the flags of a job that is never sent.

    Raises RuntimeError with the program's own words if it fails.
    """
    # Beam tries for minutes to write into a folder that is not there.
    (folder / "staging").mkdir(parents=True)
    flags = {
        "project": "PROJECT",
        "region": "REGION",
        "job_name": f"firstseen-{name}",
        "sdk_container_image": IMAGE,
        # The endpoint keeps Beam from asking for the buckets; nothing is ever sent there.
        "dataflow_endpoint": "http://localhost:9",
        "staging_location": folder / "staging",
        "temp_location": folder / "temp",
        "template_location": folder / "job.json",
    }
    done = run_alone(program, [*words, *(f"--{flag}={value}" for flag, value in flags.items())])
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-2_000:]}")
    graph = beam_runner_api_pb2.Pipeline.FromString((folder / "staging" / "pipeline.pb").read_bytes())
    return Translated(json.loads((folder / "job.json").read_text()), graph, store)


def run_alone(program: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs a program of Python with words, without credentials, and with no network to reach."""
    command = [*without_network(), sys.executable, "-c", program, *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "CLOUDSDK_"))}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603


@cache
def without_network() -> list[str]:
    """Returns the words before a command that give it a network of nothing, where this user may have that."""
    words = ["unshare", "--map-root-user", "--net"]
    try:
        return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else []  # noqa: S603
    except OSError:
        return []


def write_photos(folder: Path) -> None:
    """Writes three photos, the least that makes a job."""
    folder.mkdir(parents=True)
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")


def examples(folder: Path) -> Iterator[tuple[str, Translated]]:
    """Yields what is run, in words, and what Dataflow would get of it."""
    write_photos(folder / "photos")
    encode = ["encode", str(folder / "photos")]
    yield "`firstseen encode`", translate(encode, folder / "cpu", folder / "cpu-job")
    gpu = ["--accelerator", "nvidia-l4"]
    yield "`firstseen encode --accelerator nvidia-l4`", translate([*encode, *gpu], folder / "gpu", folder / "gpu-job")
    store = folder / "store"
    subprocess.run([sys.executable, "-m", "firstseen", *encode, "--store", store], capture_output=True, check=True)  # noqa: S603
    index = ["index", "--memory-limit", "8GB"]
    yield "`firstseen index --memory-limit 8GB`", translate(index, store, folder / "index-job")
    subprocess.run([sys.executable, "-m", "firstseen", "index", "--store", store], capture_output=True, check=True)  # noqa: S603
    lookup = ["lookup", "--memory-limit", "8GB"]
    words = [*lookup, str(folder / "photos"), "--format", "jsonl"]
    yield "`firstseen lookup --memory-limit 8GB`", translate(words, store, folder / "lookup-job")
    # A template runs its command on a worker, and that command makes jobs as those above.
    parameters = {"verb": "reindex", "archive": "gs://BUCKET/photos", "store": "gs://BUCKET/store"}
    words = [*(f"--{name}={value}" for name, value in parameters.items()), "--runner=DataflowRunner", "--no_auth"]
    yield "The Flex Template", translated(FLEX_TEMPLATE, words, "nightly", store, folder / "template-job")


def describe(found: Translated) -> Iterator[str]:
    """Yields the lines about one job: its steps, what goes from one to the next, and the machines."""
    yield from ("```mermaid", "flowchart LR")
    givers = {one: name for name, step in found.steps.items() for one in step.outputs.values()}
    for name, step in found.steps.items():
        # The inputs of a step are a map, which has no order.
        yield from sorted(f"  {givers[one]} --> {name}" for one in step.inputs.values() if one in givers)
    yield from ("```", "", "| step | gives, by coder | needs of its worker |", "|---|---|---|")
    for name in found.steps:
        needs = ", ".join(f"{hint} `{value}`" for hint, value in found.hints(name).items())
        yield f"| {name} | {', '.join(found.coders(name)) or '–'} | {needs or '–'} |"
    environment = found.job["environment"]
    (pool,) = environment["workerPools"]
    images = {one["containerImage"] for one in pool["sdkHarnessContainerImages"]}
    yield from (
        "",
        f"Machines: {pool['machineType']}, at most {pool['autoscalingSettings']['maxNumWorkers']}, "
        f"{pool['numThreadsPerWorker']} threads each; image `{', '.join(sorted(images))}`.",
        f"Experiments: {', '.join(f'`{one}`' for one in environment['experiments'])}.",
        "",
    )


def page(found: Iterable[tuple[str, Translated]]) -> str:
    """Returns the page about some commands."""
    lines = [
        "# The jobs as Dataflow gets them",
        "",
        "Written by `python -m infra.dataflow.graph` from the real graphs, which Beam's DataflowRunner makes without",
        "network or credentials; a test compares. [dataflow.md](dataflow.md) says what it is for.",
        "",
    ]
    for title, one in found:
        lines += [f"## {title}", "", *describe(one)]
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(examples(Path(folder))), encoding="utf-8")
