"""Flags for Dataflow: completed, never overruled, and refused in one line where one is missing."""

import pytest

from foundation.errors import UsageError
from pipelines.encode.plan import EncodeOptions
from pipelines.runners import dataflow
from pipelines.runners.run import create_pipeline

needs_libraries = pytest.mark.skipif(
    dataflow.find_spec("apitools") is None, reason="no Google Cloud libraries: pip install '.[gcp]'"
)
NEEDED = {"project": "news", "region": "europe-west1", "temp_location": "gs://news/temp", "sdk_container_image": "i:1"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that nobody looks at: the tests ask no network for some."""
    if dataflow.find_spec("apitools"):
        monkeypatch.setattr("google.auth.default", lambda: (None, None))


def flags(**given: str) -> list[str]:
    """Returns flags of these names and values."""
    return [f"--{name}={value}" for name, value in given.items()]


@needs_libraries
def test_what_nobody_said_is_filled_in():
    """One process on each machine, so one encoder; machines of a stated size, and a limit to how many."""
    runner, completed = dataflow.complete(flags(**NEEDED))
    assert runner == "DataflowRunner"
    assert completed == [
        *flags(**NEEDED),
        "--worker_machine_type=n2-standard-4",
        "--disk_size_gb=60",
        "--max_num_workers=20",
        "--autoscaling_algorithm=THROUGHPUT_BASED",
        "--number_of_worker_harness_threads=2",
        "--experiments=no_use_multiple_sdk_containers",
    ]


@needs_libraries
@pytest.mark.parametrize(
    "given",
    [
        "--machine_type=e2-standard-2",
        "--worker_machine_type=e2-standard-2",
        "--disk_size_gb=30",
        "--max_num_workers=3",
        "--autoscaling_algorithm=NONE",
        "--number_of_worker_harness_threads=1",
        "--experiments=use_multiple_sdk_containers",
    ],
)
def test_what_somebody_said_stands(given: str):
    """A default beside it would be a second value of the same flag."""
    _, completed = dataflow.complete([*flags(**NEEDED), given])
    name = given.removeprefix("--").removeprefix("worker_").partition("=")[0]
    assert [flag for flag in completed if f"{name}=" in flag] == [given]


@needs_libraries
def test_other_experiments_stay_beside_ours():
    """The flag adds to a list."""
    _, completed = dataflow.complete([*flags(**NEEDED), "--experiments=enable_prime"])
    assert {"--experiments=enable_prime", "--experiments=no_use_multiple_sdk_containers"} <= set(completed)


@needs_libraries
def test_the_limit_is_never_below_the_machines_to_begin_with():
    """Dataflow refuses such a job."""
    _, completed = dataflow.complete([*flags(**NEEDED), "--num_workers=50"])
    assert "--max_num_workers=50" in completed


@needs_libraries
@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_flag_is_named_in_one_line(missing: str):
    """Before the archive is listed, and before Beam asks a network for it."""
    given = {name: value for name, value in NEEDED.items() if name != missing}
    with pytest.raises(UsageError, match=rf"received no --{missing}; expected after `--` --{missing}=[^\n]*$"):
        create_pipeline("dataflow", beam_flags=flags(**given))


@needs_libraries
def test_a_graph_that_is_only_looked_at_needs_no_image():
    """It runs nowhere."""
    given = {name: value for name, value in NEEDED.items() if name != "sdk_container_image"}
    assert dataflow.complete([*flags(**given), "--dry_run=True"])


@needs_libraries
@pytest.mark.parametrize("place", ["gs://ab/temp", "/tmp/folder", "s3://news/temp", "gs://News/temp"])  # noqa: S108
def test_a_place_that_is_no_bucket_is_refused(place: str):
    """Beam would look for a bucket on the network, for minutes."""
    with pytest.raises(UsageError, match=r"--temp_location=\S+ is in no bucket; expected gs://BUCKET/FOLDER"):
        dataflow.complete(flags(**{**NEEDED, "temp_location": place}))


@needs_libraries
@pytest.mark.parametrize("more", [[], ["--dry_run=True"], ["--no_auth"], ["--dataflow_endpoint=http://localhost:9"]])
def test_missing_credentials_are_named_in_one_line(more: list[str], monkeypatch: pytest.MonkeyPatch):
    """Beam looks for minutes; a job that is never sent to Google needs none."""
    from google.auth.exceptions import DefaultCredentialsError

    def default() -> None:
        raise DefaultCredentialsError("none")

    monkeypatch.setattr("google.auth.default", default)
    if more:
        assert dataflow.complete([*flags(**NEEDED), *more])
    else:
        with pytest.raises(UsageError, match=r"found no credentials of Google Cloud; expected `gcloud auth[^\n]*$"):
            dataflow.complete(flags(**NEEDED))


def test_without_googles_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """Beam's own error names none of it."""
    monkeypatch.setattr(dataflow, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'firstseen\[gcp\]'"):
        dataflow.complete(flags(**NEEDED))


def test_a_step_says_what_it_needs_of_its_machine():
    """What Dataflow itself takes comes on top of the memory; a GPU brings its machine and its driver."""
    assert dataflow.resource_hints("dataflow", memory_bytes=5_000_000_000) == {"min_ram": 6_000_000_000}
    assert dataflow.resource_hints("DataflowRunner", accelerator="nvidia-l4") == {
        "accelerator": "type:nvidia-l4;count:1;machine_type:g2-standard-8;install-nvidia-driver"
    }
    assert dataflow.resource_hints("dataflow") == {}


@pytest.mark.parametrize("runner", ["local", "flink", "PortableRunner"])
def test_other_runners_get_no_hints(runner: str):
    """They would start another set of worker processes for the step."""
    assert dataflow.resource_hints(runner, memory_bytes=5) == {}


def test_an_accelerator_elsewhere_is_refused_before_anything_starts():
    """It would do nothing without a word."""
    with pytest.raises(UsageError, match=r"--accelerator nvidia-l4 is for --runner dataflow; with --runner local"):
        EncodeOptions(archive="a", store="s", accelerator="nvidia-l4")
    with pytest.raises(UsageError, match="accelerator is 'abacus'; expected one of: nvidia-l4"):
        EncodeOptions(archive="gs://a", store="gs://s", runner="dataflow", accelerator="abacus")


@pytest.mark.parametrize(("archive", "store"), [("photos", "gs://news/store"), ("gs://news/photos", "/srv/store")])
def test_a_place_on_this_machine_is_refused_before_a_job_is_made(archive: str, store: str):
    """No worker would find it; a job that is only translated looks for nothing."""
    with pytest.raises(
        UsageError, match=r"--runner dataflow cannot reach \S+, which is of this machine; expected gs://"
    ):
        EncodeOptions(archive=archive, store=store, runner="dataflow")
    assert EncodeOptions(archive=archive, store=store, runner="dataflow", beam_flags=["--dry_run=True"])
    assert EncodeOptions(archive=archive, store=store, runner="flink")


@pytest.mark.parametrize(
    ("runner", "flags", "expected"),
    [
        ("dataflow", ["--dry_run=True"], True),
        ("DataflowRunner", ["--template_location=gs://bucket/t.json"], True),
        # Beam takes any text for yes, this one included, and runs nothing.
        ("dataflow", ["--dry_run=False"], True),
        ("dataflow", [], False),
        ("flink", ["--dry_run=True"], False),
    ],
)
def test_what_is_only_translated_is_told_by_the_flags(runner: str, flags: list[str], expected: bool) -> None:
    """As Beam reads them, and for Dataflow alone: a real job must not be given a store of this machine."""
    assert dataflow.is_translation(runner, flags) is expected
    if runner == "dataflow" and not expected:
        with pytest.raises(UsageError, match="cannot reach /srv/store"):
            dataflow.require_shared(runner, flags, "/srv/store")
    else:
        dataflow.require_shared(runner, flags, "/srv/store")
