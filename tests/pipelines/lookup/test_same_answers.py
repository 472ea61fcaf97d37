"""The job and the lookup in one process answer alike: every field, in every order, however the work is cut."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from firstseen.commands import lookup_job
from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.snapshots import live_snapshot
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from pipelines.lookup import job
from serving.ignore import ignore_photo
from tests.photos import jpeg, noise, scene, write_archive, write_catalog

PHOTOS = 12


class Asked(NamedTuple):
    """A store with several segments, and queries of every kind."""

    store: Path
    queries: list[str]


@pytest.fixture(scope="module")
def asked(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Three segments of four photos with local features; a folder, a tar shard and a table of queries."""
    folder = tmp_path_factory.mktemp("same")
    paths = write_archive(folder / "archive", photos=PHOTOS, picture=lambda seed: noise(seed, width=320, height=240))
    names = [str(path.relative_to(folder / "archive")) for path in paths]
    rows = [{"photo_id": name, "published_at": f"20{10 + n}-01-01", "caption": f"{n}"} for n, name in enumerate(names)]
    catalog = write_catalog(folder / "catalog.csv", rows)
    store = str(shutil.copytree(encoder_store, folder / "store"))
    encode(EncodeOptions(archive=str(folder / "archive"), store=store, catalog=catalog, chunk_photos=4))
    build_index(Store(store), options=IndexOptions(max_segment_rows=4))
    live = live_snapshot(Store(store))
    assert live
    assert len(live.segments) == 3
    edits = edits_of(
        np.stack([cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), 1)[..., ::-1] for path in paths])
    )
    return Asked(folder / "store", write_queries(folder, edits, [path.read_bytes() for path in paths]))


def edits_of(photos: np.ndarray) -> dict[str, bytes]:
    """Returns copies, crops, strangers, and what is none of these."""
    collage = np.concatenate([cv2.resize(photos[number], (160, 120)) for number in (5, 9)], axis=1)
    found = {
        "crop": photos[0][40:200, 60:260],
        "small": cv2.resize(photos[1], (160, 120)),
        "mirrored": photos[2][:, ::-1],
        "negative": 255 - photos[3],
        "turned": np.rot90(photos[4]),
        "collage": cv2.copyMakeBorder(collage, 60, 90, 20, 20, cv2.BORDER_CONSTANT, value=(250, 250, 250)),
        "blurred": cv2.GaussianBlur(photos[6], (0, 0), 6),
        "overlaid": cv2.rectangle(photos[7].copy(), (30, 30), (140, 120), (255, 0, 0), -1),
        "stranger": noise(1_000, width=320, height=240),
        "simple": scene(7),
        "blank": np.full((64, 64, 3), 90, np.uint8),
    }
    return {name: jpeg(np.ascontiguousarray(pixels), quality=85) for name, pixels in found.items()}


def write_queries(folder: Path, edits: dict[str, bytes], originals: list[bytes]) -> list[str]:
    """Writes queries as files, into a tar shard and into a table; returns what to look up."""
    (folder / "asked").mkdir()
    for name, data in {**edits, "same": originals[8], "broken": edits["crop"][:2_000], "text": b"no photo"}.items():
        (folder / "asked" / f"{name}.jpg").write_bytes(data)
    with tarfile.open(folder / "shard.tar", "w") as shard:
        for name, data in (("one.jpg", edits["small"]), ("two.jpg", originals[10]), ("bad.jpg", b"\xff\xd8")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
    parquet.write_table(pa.table({"image": [originals[11], edits["turned"], b""]}), folder / "table.parquet")
    return [str(folder / name) for name in ("asked", "shard.tar", "table.parquet", "missing.jpg")]


def answers_of(asked: Asked, *flags: str, output: Path) -> Any:
    """Returns the bytes of JSON Lines, or the rows of Parquet, that a lookup writes."""
    arguments = ["lookup", *asked.queries, "--store", str(asked.store), "--batch-size", "4", "--output", str(output)]
    assert run([*arguments, *flags]) == 0
    assert Store(asked.store).directories("lookups") == []
    return parquet.read_table(output).to_pylist() if output.suffix == ".parquet" else output.read_bytes()


@pytest.fixture
def small_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of four queries, three a round."""
    monkeypatch.setattr("pipelines.lookup.plan.LookupOptions.queries_per_chunk", 4)
    monkeypatch.setattr("pipelines.lookup.plan.LookupOptions.chunks_per_round", 3)


def by_segments(*groups: int) -> Callable[..., Any]:
    """Returns what makes groups of so many segments."""
    ends = np.cumsum(groups).tolist()
    return lambda *_: tuple(job.Group(end - size, end) for size, end in zip(groups, ends, strict=True))


@pytest.mark.parametrize(
    ("groups", "flags"),
    [
        ((3,), ()),
        ((1, 1, 1), ()),
        ((1, 2), ("--similar", "--top-k", "3")),
        ((2, 1), ("--effort", "fast", "--claimed-date", "2015-01-01")),
    ],
)
def test_every_field_is_the_same(
    asked: Asked, small_work: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: tuple, flags: tuple
) -> None:
    """Copies, crops, strangers and rejects, however segments are grouped: the same bytes of JSON Lines."""
    here = answers_of(asked, *flags, output=tmp_path / "here.jsonl")
    monkeypatch.setattr(job, "plan_groups", by_segments(*groups))
    assert answers_of(asked, *flags, "--runner", "local", output=tmp_path / "job.jsonl") == here
    statuses = {json.loads(line)["query"].rpartition("/")[2]: json.loads(line)["status"] for line in here.splitlines()}
    assert statuses["crop.jpg"] == statuses["same.jpg"] == statuses["table.parquet#0"] == "matched"
    assert statuses["broken.jpg"] == statuses["missing.jpg"] == "rejected"


def test_parquet_is_the_same_with_two_workers(asked: Asked, tmp_path: Path) -> None:
    """Processes of their own, each with the segments that it is given."""
    here = answers_of(asked, output=tmp_path / "here.parquet")
    assert answers_of(asked, "--workers", "2", output=tmp_path / "job.parquet") == here


def test_repeated_queries_have_the_same_answers(
    asked: Asked, small_work: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is decoded once, and what is copied is what a lookup of all of them says, to the last bit."""
    monkeypatch.setattr(job, "plan_groups", by_segments(1, 2))
    repeated = Asked(asked.store, [*asked.queries, *asked.queries[::-1], asked.queries[0]])
    here = answers_of(repeated, output=tmp_path / "here.parquet")
    assert answers_of(repeated, "--runner", "local", output=tmp_path / "job.parquet") == here


def test_ignored_photos_are_passed_over_alike(asked: Asked, small_work: None, tmp_path: Path) -> None:
    """A query that is one, and queries that show one."""
    store = Path(shutil.copytree(asked.store, tmp_path / "store"))
    ignore_photo(Store(store), str(Path(asked.queries[0]) / "same.jpg"), why="")
    changed = asked._replace(store=store)
    here = answers_of(changed, output=tmp_path / "here.jsonl")
    assert b"ignored: it shows" in here
    assert answers_of(changed, "--runner", "local", output=tmp_path / "job.jsonl") == here


def test_a_long_list_is_looked_up_by_a_job(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Nobody has to ask for it; the flags of both ways fit together, and what takes the job no flag is refused."""
    here = answers_of(asked, output=tmp_path / "here.jsonl")
    assert "time of all workers" not in capsys.readouterr().err
    monkeypatch.setattr(lookup_job, "JOB_QUERIES", 5)
    assert answers_of(asked, output=tmp_path / "job.jsonl") == here
    assert "time of all workers together: preparing" in capsys.readouterr().err
