"""Makes a store of as many photos with local features as are wanted, of real ones, and photos to look up in it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.scaled import made, real
from benchmarks.scaled.features import BLOCK_PHOTOS, TIMES, made_features, read_seeds
from benchmarks.scaled.vectors import BLOCK_ROWS, shard_rows
from foundation.store.checked import SETTLED_SECONDS
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.run_tables import local_fields, shard_schema
from foundation.store.shipped import ship
from foundation.store.snapshots import SNAPSHOTS, publish
from pipelines.encode.write_shards import write_shard
from pipelines.index.build_segment import build_segment
from pipelines.index.plan import IndexOptions, SegmentPlan, ShardReference, Surroundings
from tests.builders import snapshot
from training.edits.kinds import COMMON

SHARDS = "embeddings/made"
# What everything is made of, in the folder of `benchmarks.scale`.
SEEDS = "seeds.npz"
QUERIES = 50


class Local(NamedTuple):
    """The local features of one photo as a shard holds them: frame uint16 [2], and bytes of the rest."""

    frame: np.ndarray
    keypoints: bytes
    descriptors: bytes
    thumbnail: bytes


def made_store(folder: Path, photos: int) -> Path:
    """Returns a store of so many photos, made unless it is there; its files have settled: see `checked`."""
    place = folder / f"looked-up-{photos}"
    if not (place / SNAPSHOTS).exists():
        make_store(str(folder), place, photos)
        time.sleep(SETTLED_SECONDS)
    return place


def make_store(folder: str, place: Path, photos: int) -> Store:
    """Writes shards of so many made photos, planted ones first, builds one segment of them, and publishes it.

    `folder` is that of `benchmarks.scale`, whose step `prepare` has filled it. Takes 20 KB a photo when it is done, and
    three times as much until then.
    """
    store = Store(place, create=True)
    encoder_id = ship(store)
    spec, digest = read_spec(store, encoder_id)
    schema = shard_schema(spec.dimension, "float16", encoder_digest=digest, run_id="made", features="local")
    vectors, shards, start = _vectors(folder, photos), [], 0
    for block in _blocks(folder, photos):
        table = _with_local(shard_rows(vectors[start : start + len(block)], start, schema), block, schema)
        written = write_shard(store, SHARDS, table)
        shards.append(ShardReference(f"{SHARDS}/{written.name}", written.rows, written.record, "local", "made", 1))
        start += len(block)
    plan = SegmentPlan(0, shards, {})
    options, surroundings = IndexOptions(), Surroundings()
    _, built = build_segment(
        plan, store=store, spec=spec, encoder_digest=digest, options=options, surroundings=surroundings
    )
    assert built
    named = {"encoder_id": encoder_id, "encoder_digest": digest, "photos": built.photos, "contents": built.rows}
    publish(store, snapshot(1, segments=[built], **named))
    store.delete([shard.path for shard in shards])
    return store


def made_queries(folder: Path) -> Path:
    """Returns a folder of photos to look up, made unless it is there: everyday edits of planted photos."""
    place = folder / "looked-up-queries"
    if not place.exists():
        beside = place.with_name(f"{place.name}.partial")
        beside.mkdir(exist_ok=True)
        uris = planted_uris(str(folder))
        for number in range(QUERIES):
            data = real.edited(uris, number, number, COMMON[number % len(COMMON)])
            Path(beside, f"{number:02d}.jpg").write_bytes(data)
        beside.rename(place)
    return place


def planted_uris(folder: str) -> list[str]:
    """Returns where the real photos lie that are planted."""
    uris = _column(folder, "uri", planted=True)
    return [uris[row] for row in read_seeds(folder, "planted")[1]]


def other_uris(folder: str) -> list[str]:
    """Returns where real photos lie that nothing of the store was made of."""
    planted = set(planted_uris(folder))
    return [uri for uri in _column(folder, "uri", planted=True) if uri not in planted]


def _vectors(folder: str, photos: int) -> np.ndarray:
    with np.load(Path(folder, SEEDS), allow_pickle=False) as seeds:
        maker, count, planted = made.Maker(seeds["vectors"], seeds["near"]), len(seeds["vectors"]), seeds["planted"]
    vectors = np.concatenate(list(made.blocks(maker, count, photos, first=0, block_rows=BLOCK_ROWS)))
    vectors[: len(planted)] = planted[:photos]
    return vectors


def _blocks(folder: str, photos: int) -> Iterator[list[Local]]:
    """Yields the features of so many photos: of planted ones first, then of made ones, a shard's at a time."""
    planted = list(_planted(folder))[:photos]
    yield planted
    left = photos - len(planted)
    for block in _made(folder, -(-left // (BLOCK_PHOTOS * TIMES))):
        yield block[:left]
        left -= len(block)


def _planted(folder: str) -> Iterator[Local]:
    photos, rows = read_seeds(folder, "planted")
    thumbnails = _column(folder, "thumbnail", planted=True)
    for row in rows:
        own = slice(*photos.starts[row : row + 2])
        found = photos.keypoints[own].tobytes(), photos.descriptors[own].tobytes()
        yield Local(photos.frames[row], *found, thumbnails[row])


def _made(folder: str, blocks: int) -> Iterator[list[Local]]:
    seeds, near = read_seeds(folder, "seeds")
    thumbnails, generator = _column(folder, "thumbnail", planted=False), np.random.default_rng(0)
    maker = made.Maker(seeds.descriptors, near)
    for number in range(blocks):
        rows = np.sort(generator.choice(len(seeds.frames), BLOCK_PHOTOS, replace=False))
        block = []
        for row, (places, descriptors) in zip(rows, made_features(maker, seeds.starts, rows, number), strict=True):
            keypoints = seeds.keypoints[places].tobytes()
            block += [Local(seeds.frames[row], keypoints, one.tobytes(), thumbnails[row]) for one in descriptors]
        yield block


def _column(folder: str, name: str, *, planted: bool) -> list[Any]:
    """Returns a column of the real photos in the order in which their features are kept, by uri."""
    store = Store(Path(folder, "real"))
    # Features were kept of the first archive that others are made of: see `prepare` in `benchmarks.scale`.
    run = real.runs_of(store, planted=planted)[0]
    files = [store.local_root / run.directory / shard for shard in run.shards]
    tables = [parquet.read_table(file, columns=sorted({"uri", name})).replace_schema_metadata(None) for file in files]
    return pa.concat_tables(tables).sort_by("uri")[name].to_pylist()


def _with_local(table: pa.Table, block: list[Local], schema: pa.Schema) -> pa.Table:
    """Returns the rows of a shard with the features of their photos."""
    frames = np.array([one.frame for one in block])
    columns = [frames[:, 0], frames[:, 1], *([one[n] for one in block] for n in (1, 2, 3))]
    for field, column in zip(local_fields(), columns, strict=True):
        table = table.set_column(schema.get_field_index(field.name), field, pa.array(column, field.type))
    return table
