"""The jobs as the real DataflowRunner translates them, with no network and no credentials."""

import re

import pytest

from pipelines.runners.dataflow import find_spec

if find_spec("apitools") is None:
    pytest.skip("no Google Cloud libraries: pip install '.[gcp]'", allow_module_level=True)

from infra.dataflow import graph

NUMBER, HINTS = "beam:coder:varint:v1", {"min_ram_bytes", "accelerator"}


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, graph.Translated]:
    """The commands of the page by title, each translated."""
    return dict(graph.examples(tmp_path_factory.mktemp("graph") / "work"))


@pytest.fixture(scope="module")
def gpu(translated: dict[str, graph.Translated]) -> graph.Translated:
    """The encode with an accelerator."""
    return translated["`firstseen encode --accelerator nvidia-l4`"]


def test_the_page_shows_the_graphs_as_they_are(translated: dict[str, graph.Translated]):
    """Another step, hint or default is written down by `python -m infra.dataflow.graph`."""
    assert graph.PAGE.read_text(encoding="utf-8") == graph.page(translated.items())


def test_encode_has_its_steps_and_one_shuffle(gpu: graph.Translated):
    """Chunks are spread once, and nothing is grouped beside that."""
    assert list(gpu.steps) == ["CountChunks", "ListChunks", "SpreadChunks", "EncodeChunk"]
    urns = [one.spec.urn for one in gpu.graph.components.transforms.values()]
    assert urns.count("beam:transform:reshuffle:v1") == 1
    assert urns.count("beam:transform:group_by_key:v1") == 1


def test_only_numbers_go_from_step_to_step(gpu: graph.Translated):
    """No photo, no pixel and no vector: the coder of every step writes whole numbers."""
    coders, collections = gpu.graph.components.coders, gpu.graph.components.pcollections
    for step in gpu.steps.values():
        assert [coders[collections[one].coder_id].spec.urn for one in step.outputs.values()] == [NUMBER]


def test_only_the_step_that_embeds_gets_a_gpu(translated: dict[str, graph.Translated], gpu: graph.Translated):
    """Right fitting: every other step has an environment without hints, and without --accelerator none asks for one."""
    assert {name for name in gpu.steps if gpu.hints(name)} == {"EncodeChunk"}
    assert gpu.hints("EncodeChunk").keys() == HINTS
    assert gpu.hints("EncodeChunk")["accelerator"].startswith("type:nvidia-l4;count:1;")
    assert translated["`firstseen encode`"].hints("EncodeChunk") == {"min_ram_bytes": "6000000000"}


def test_a_segment_is_built_where_its_memory_is(translated: dict[str, graph.Translated]):
    """--memory-limit is what one build may take; a worker takes some beside it."""
    found = translated["`firstseen index --memory-limit 8GB`"]
    assert {name for name in found.steps if found.hints(name)} == {"BuildSegment"}
    assert found.hints("BuildSegment") == {"min_ram_bytes": str(2 * 8_000_000_000 + 1_000_000_000)}


def test_segments_are_searched_where_their_memory_is(translated: dict[str, graph.Translated]):
    """The steps that open a group of segments ask for what a group may take; only numbers come to them and leave."""
    found = translated["`firstseen lookup --memory-limit 8GB`"]
    opening = {f"{look}/{step}" for look in ("FirstLook", "CloserLook") for step in ("SearchGroup", "FetchGroup")}
    assert {name for name in found.steps if found.hints(name)} == opening
    assert all(found.hints(name) == {"min_ram_bytes": "9000000000"} for name in opening)
    written = {kind for name in found.steps for coder in found.coders(name) for kind in re.findall(r"\w+", coder)}
    assert written == {"varint", "kv", "tuple", "iterable"}


def test_every_worker_runs_the_image_and_installs_nothing(gpu: graph.Translated):
    """What is staged beside the image would be installed on each machine at each start."""
    for environment in gpu.graph.components.environments.values():
        assert environment.urn == "beam:env:docker:v1"
        assert graph.IMAGE.encode() in environment.payload
        assert list(environment.dependencies) == []


def test_the_job_has_one_process_on_each_machine_and_a_limit(gpu: graph.Translated):
    """One model per machine, machines of a stated size, and autoscaling between one and twenty of them."""
    environment = gpu.job["environment"]
    (pool,) = environment["workerPools"]
    assert {"no_use_multiple_sdk_containers", "use_runner_v2"} <= set(environment["experiments"])
    assert "use_multiple_sdk_containers" not in environment["experiments"]
    assert pool["machineType"] == "n2-standard-4"
    assert pool["autoscalingSettings"] == {"algorithm": "AUTOSCALING_ALGORITHM_BASIC", "maxNumWorkers": 20}


def test_a_store_is_as_it_was_before_a_translation(translated: dict[str, graph.Translated], gpu: graph.Translated):
    """The encoder that was put there for it, and no run that anybody would take for one."""
    left = [path for path in gpu.store.rglob("*") if path.is_file() and "encoders" not in path.parts]
    assert left == []


def test_a_template_is_one_step_on_one_machine(translated: dict[str, graph.Translated]):
    """It runs the command, whose jobs have the machines."""
    found = translated["The Flex Template"]
    assert list(found.steps) == ["Command", "RunCommand"]
    (pool,) = found.job["environment"]["workerPools"]
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 1


def test_a_program_that_opens_a_connection_is_found_out():
    """What the others prove is proved by this: the same words with one look-up more end there."""
    done = graph.run_alone(graph.ALONE + "import socket; socket.getaddrinfo('localhost', 1)", [])
    assert done.returncode == 99
    assert "contacted: socket.getaddrinfo" in done.stderr
    assert graph.run_alone(graph.FIRSTSEEN, ["--version"]).returncode == 0
