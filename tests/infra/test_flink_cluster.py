"""Jobs on a real Flink cluster: the rows and answers are the local runner's, whatever is killed on the way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from firstseen import Searcher
from foundation.errors import ArtifactRefusedError
from foundation.store.encoders import encoder_directory, list_encoders
from foundation.store.files import Store
from foundation.store.runs import list_runs, read_run
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from pipelines.lookup.job import look_up
from pipelines.lookup.plan import LookupOptions
from pipelines.reindex.job import reindex
from pipelines.runners.flink import JOB_SERVER
from serving.queries import Listed
from tests.conftest import REPOSITORY
from tests.infra.flink_cluster import WORK, FlinkCluster, brought_up
from tests.photos import noise, write_archive
from tests.processes import is_running

JAR = WORK / JOB_SERVER.name


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """Two task managers with a slot each."""
    with brought_up(tmp_path_factory.mktemp("flink")) as cluster:
        yield cluster


def on(cluster: FlinkCluster) -> dict[str, Any]:
    """Returns the options of a job on the cluster."""
    return {"runner": "flink", "beam_flags": [f"--flink_master={cluster.master}", f"--flink_job_server_jar={JAR}"]}


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Returns the rows of the last run of a store, rejects included, in one order."""
    store = Store(folder)
    (encoder_id,) = list_encoders(store)
    run, _ = read_run(store, encoder_id, list_runs(store, encoder_id)[-1])
    names = [name for name in run.files if name.startswith(("part-", "rejects"))]
    rows = [row for name in names for row in parquet.read_table(folder / run.directory / name).to_pylist()]
    return sorted(rows, key=lambda row: str(row["photo_id"]))


def answers_of(store: Path, photos: list[Path]) -> list[Any]:
    """Returns what a store answers for some photos."""
    with Searcher.open(str(store)) as searcher:
        return list(searcher.lookup([str(path) for path in photos]))


def test_jobs_give_what_the_local_runner_gives(cluster: FlinkCluster, store: Path, tmp_path: Path) -> None:
    """Row by row and answer by answer: encode, index, a reindex with new, changed and unreadable photos, and lookup."""
    archive = tmp_path / "archive"
    photos = write_archive(archive, photos=24, picture=noise)
    stores = {"local": store, "flink": Path(shutil.copytree(store, tmp_path / "flink"))}
    places: dict[str, dict[str, Any]] = {"local": {"runner": "local", "beam_flags": []}, "flink": on(cluster)}
    for name, place in stores.items():
        encode(EncodeOptions(archive=str(archive), store=str(place), batch_size=4, **places[name]))
    assert rows_of(stores["local"]) == rows_of(stores["flink"])
    assert len(rows_of(stores["local"])) == len(photos)
    for name, place in stores.items():
        build_index(Store(place), **places[name])

    photos += write_archive(archive / "more", photos=8, first_seed=100, picture=noise)
    shutil.copy(photos[0], photos[1])
    (archive / "empty.jpg").write_bytes(b"")
    for name, place in stores.items():
        encoding = EncodeOptions(archive=str(archive), store=str(place), batch_size=4, **places[name])
        reindex(encoding, IndexOptions())
    assert rows_of(stores["local"]) == rows_of(stores["flink"])
    answers = answers_of(stores["local"], photos)
    assert answers == answers_of(stores["flink"], photos)

    names = [Listed(str(path)) for path in photos]
    flags = tuple(places["flink"]["beam_flags"])
    options = LookupOptions(store=str(stores["flink"]), chunk_queries=8, runner="flink", beam_flags=flags)
    with look_up(names, options) as looked:
        assert list(looked.answers(may_be_taken_back=False)) == answers


def wait_for(happened: Callable[[], bool], *, seconds: float) -> None:
    """Waits until something has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def workers_of(cluster: FlinkCluster, name: str) -> list[int]:
    """Returns the numbers of the Python workers of a task manager."""
    pid = cluster.pid(name)
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(number) for number in found.stdout.split()]


def test_a_task_manager_killed_in_mid_encode_costs_no_row(cluster: FlinkCluster, store: Path, tmp_path: Path) -> None:
    """The job that a user started goes on with another one, and its worker has not outlived the one that was killed."""
    archive, other = tmp_path / "archive", Path(shutil.copytree(store, tmp_path / "local"))
    write_archive(archive, photos=160, picture=lambda seed: noise(seed, width=640, height=480))
    options = ["--runner", "flink", "--flink-master", cluster.master, "--batch-size", "8"]
    with subprocess.Popen(
        [sys.executable, "-m", "firstseen", "encode", archive, "--store", store, *options],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    ) as launcher:
        wait_for(lambda: bool(list(store.glob("embeddings/*/*/outcomes/*.parquet"))), seconds=120)
        workers = workers_of(cluster, "taskmanager-1")
        os.kill(cluster.pid("taskmanager-1"), signal.SIGKILL)
        assert not list(store.glob("embeddings/*/*/run.json"))
        cluster.script("start", "taskmanager-1")
        _, said = launcher.communicate(timeout=300)
    assert launcher.returncode == 0, said
    assert workers
    assert not any(is_running(pid) for pid in workers)
    encode(EncodeOptions(archive=str(archive), store=str(other)))
    assert rows_of(store) == rows_of(other)
    (run,) = store.glob("embeddings/*/*/run.json")
    assert sum(path.name in run.read_text() for path in run.parent.glob("part-*")) == len(
        list(run.parent.glob("part-*"))
    )


def test_an_error_that_would_come_again_is_not_retried(cluster: FlinkCluster, store: Path, archive: Path) -> None:
    """A flipped bit of the encoder ends the job as on the local runner, without a restart."""
    encoder_id = list_encoders(Store(store))[0]
    weights = store / encoder_directory(encoder_id) / "variables" / "variables.data-00000-of-00001"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ArtifactRefusedError, match="is damaged"):
        encode(EncodeOptions(archive=str(archive), store=str(store), **on(cluster)))
    said = Path(cluster.environment["FLINK_RUN"], "jobmanager.log").read_text()
    assert "switched from state RUNNING to RESTARTING" not in said.rpartition("from state CREATED to RUNNING")[2]
