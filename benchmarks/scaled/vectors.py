"""Builds segments of made vectors as `index` does, and searches them as `lookup` does."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.scaled import made, real
from benchmarks.scaled.figures import FIGURES, Figure, Steps, name_of
from benchmarks.scaled.real import RealPhotos
from benchmarks.scaled.structure import NEAREST, best_of, nearest_similarities, summary
from foundation.store.artifact import FileRecord
from foundation.store.encoders import list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.occurrences import occurrence_type
from foundation.store.run_tables import shard_schema
from foundation.store.segments import SEGMENTS, VECTORS, SegmentReference, read_segment, segment_directory
from foundation.vectors import exact_neighbours
from pipelines.encode.write_shards import write_shard
from pipelines.index.build_segment import build_segment
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.memory import estimate_bytes
from pipelines.index.plan import IndexOptions, SegmentPlan, ShardReference, Surroundings
from pipelines.index.tune import shares_found
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder, snapshot

# Everyday edits of planted photos.
ASKED = "asked.npz"
BLOCK_ROWS = 50_000
K = 10
# Queries are searched in the batches of a `lookup`, and one by one.
BATCH = 64
ROUNDS = 5
COMPARED_ROWS = 500_000
ASKED_ROWS = 2_048
# Queries that are asked one by one, and vectors whose neighbours are looked at.
FEW, SAMPLED = 100, 300

# The first row of each segment, and how many rows it has.
Parts = list[tuple[int, int]]


def vector_store(folder: str) -> Store:
    """Returns the store that the segments lie in, with a description of an encoder for its vectors."""
    path = Path(folder, "vectors")
    store = Store(path, create=True)
    if not list_encoders(store):
        add_encoder(store, dimension=128)
    return store


def are_there(folder: str, known: Mapping[str, Figure], builds: Steps) -> bool:
    """Returns whether the segments that some steps have built lie there."""
    made = [known[name_of(*build)]["segment"]["segment_id"] for build in builds if name_of(*build) in known]
    return all(Path(folder, "vectors", SEGMENTS, segment_id).exists() for segment_id in made)


def remove(folder: str) -> None:
    """Removes all segments that were built: seven gigabytes of ten million vectors."""
    shutil.rmtree(Path(folder, "vectors", SEGMENTS), ignore_errors=True)


def write_seeds(folder: str, seeds: RealPhotos, others: RealPhotos, planted: np.ndarray) -> None:
    """Keeps vectors to make others of, their neighbours, and vectors that are planted, and that are held out."""
    every = seeds.vectors
    near = [
        exact_neighbours(every[start : start + ASKED_ROWS], every, k=made.NEIGHBOURS + 1, distance="cosine")
        for start in range(0, len(every), ASKED_ROWS)
    ]
    np.savez(
        Path(folder, "seeds.npz"),
        vectors=every,
        # The nearest of each is itself.
        near=np.concatenate([rows[:, 1:] for rows, _ in near]),
        planted=others.vectors[planted],
        held_out=np.delete(others.vectors, planted, axis=0),
    )


def write_shards(folder: str, first: int, rows: int) -> Figure:
    """Writes the rows from `first` to before `first + rows` as shards of float16; planted ones begin the first."""
    store = vector_store(folder)
    encoder_id = next(iter(list_encoders(store)))
    _, digest = read_spec(store, encoder_id)
    schema = shard_schema(128, "float16", encoder_digest=digest, run_id="run", features="none")
    with np.load(Path(folder, "seeds.npz"), allow_pickle=False) as seeds:
        maker, count, planted = made.Maker(seeds["vectors"], seeds["near"]), len(seeds["vectors"]), seeds["planted"]
    described, start = [], first
    for block in made.blocks(maker, count, first + rows, first=first, block_rows=BLOCK_ROWS):
        if not start:
            block[: len(planted)] = planted
        written = write_shard(store, f"embeddings/{first}-{rows}", shard_rows(block, start, schema))
        described.append((f"embeddings/{first}-{rows}/{written.name}", written.rows, astuple(written.record)))
        start += len(block)
    Path(folder, f"shards-{first}-{rows}.json").write_text(json.dumps(described))
    return {"disk_bytes": sum(record[0] for _, _, record in described)}


def contents_of(start: int, rows: int) -> np.ndarray:
    """Returns the content hashes of the block that begins there, uint8 [rows, 32], the same at each call."""
    return np.frombuffer(np.random.default_rng(start + 1).bytes(32 * rows), np.uint8).reshape(-1, 32)


def shard_rows(vectors: np.ndarray, start: int, schema: pa.Schema) -> pa.Table:
    """Returns the rows of a shard, of photos numbered from `start`: column by column, for objects would take hours."""
    rows = len(vectors)
    names = pa.array([f"{number // 1000:06d}/{number:09d}.jpg" for number in range(start, start + rows)])
    uris = pa.array([f"file:///srv/photos/{name}" for name in names.to_pylist()])
    fields = {"photo_id": names, "uri": uris, "generation": _repeated(1, rows), "is_removed": _repeated(False, rows)}
    kind = occurrence_type()
    structs = pa.StructArray.from_arrays(
        [fields.get(field.name, pa.nulls(rows, field.type)) for field in kind], fields=list(kind)
    )
    columns = {
        "photo_id": names,
        "uri": uris,
        "content_sha256": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(32), rows, [None, pa.py_buffer(contents_of(start, rows).tobytes())]
        ),
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float16).reshape(-1)), 128),
        "width": _repeated(1200, rows, pa.int32()),
        "height": _repeated(800, rows, pa.int32()),
        "occurrences": pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32)), structs),
    }
    return pa.table(
        [columns.get(field.name, pa.nulls(rows, field.type)).cast(field.type) for field in schema], schema=schema
    )


def _repeated(value: Any, rows: int, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array([value] * rows, kind)


def build(folder: str, first: int, rows: int) -> Figure:
    """Builds one segment of the shards that were written for it."""
    store = vector_store(folder)
    spec, digest = read_spec(store, next(iter(list_encoders(store))))
    shards = json.loads(Path(folder, f"shards-{first}-{rows}.json").read_text())
    references = [ShardReference(path, count, FileRecord(*record), "none", "made", 1) for path, count, record in shards]
    plan = SegmentPlan(0, references, {})
    _, built = build_segment(
        plan, store=store, spec=spec, encoder_digest=digest, options=IndexOptions(), surroundings=Surroundings()
    )
    assert built
    segment = read_segment(store, built)
    store.delete([path for path, *_ in shards])
    return {
        "segment": asdict(built),
        "estimate_bytes": estimate_bytes(rows, spec.dimension),
        "disk_bytes": sum(record.size_bytes for record in segment.files.values()),
        "recall": segment.recall_at_10,
        **asdict(segment.parameters),
    }


def compare(folder: str, first: int, rows: int) -> Figure:
    """Looks at every vector of a segment, and keeps how near the nearest are to the queries of `_questions`."""
    (segment,) = built(folder, [(first, rows)])
    path = vector_store(folder).local_root / segment_directory(segment.segment_id) / VECTORS
    vectors = RowsOnDisk(np.load(path, mmap_mode="r", allow_pickle=False))
    asked = np.concatenate(_questions(folder))
    nearest = np.empty((len(asked), 0), np.float32)
    for start in range(0, len(vectors), COMPARED_ROWS):
        _, found = exact_neighbours(asked, vectors[start : start + COMPARED_ROWS], k=NEAREST + 1, distance="cosine")
        nearest = best_of(nearest, found)
    np.save(Path(folder, f"nearest-{first}-{rows}.npy"), nearest)
    return {}


def _questions(folder: str) -> list[np.ndarray]:
    """Returns edits of planted photos, some made vectors, and some real ones that nothing was made of."""
    with np.load(Path(folder, "seeds.npz"), allow_pickle=False) as seeds:
        maker, count = made.Maker(seeds["vectors"], seeds["near"]), len(seeds["vectors"])
        planted, held_out = len(seeds["planted"]), seeds["held_out"]
    (block,) = made.blocks(maker, count, BLOCK_ROWS, first=0, block_rows=BLOCK_ROWS)
    return [real.read_asked(Path(folder, ASKED)).vectors, block[planted:][:SAMPLED], held_out[:SAMPLED]]


def nearest_of(folder: str, parts: Parts) -> np.ndarray:
    """Returns how near the nearest of some segments are to the queries of `_questions`, best first."""
    return best_of(*(np.load(Path(folder, f"nearest-{first}-{rows}.npy")) for first, rows in parts))


def built(folder: str, parts: Parts) -> list[SegmentReference]:
    """Returns the segments that were built of these rows, as a snapshot names them."""
    known = json.loads(Path(folder, FIGURES).read_text())
    names = [name_of("build", {"first": first, "rows": rows}) for first, rows in parts]
    return [SegmentReference(**known[name]["segment"]) for name in names]


def parts_of(rows: int, segment_rows: int) -> Parts:
    """Returns the segments of so many rows: the first row of each, and how many it has."""
    return [(first, min(segment_rows, rows - first)) for first in range(0, rows, segment_rows)]


def structure_of(folder: str, rows: int, segment_rows: int) -> Figure:
    """Returns how near the neighbours of made and of real vectors are, and in how many directions they lie."""
    nearest = nearest_of(folder, parts_of(rows, segment_rows))
    own, held_out = nearest[-2 * SAMPLED : -SAMPLED, 1:], nearest[-SAMPLED:, :-1]
    return {"made": summary(own), "held_out": summary(held_out)}


def structure_of_real(folder: str) -> Figure:
    """Returns the same of the real vectors that the others are made of, which are far fewer."""
    with np.load(Path(folder, "seeds.npz"), allow_pickle=False) as seeds:
        real_ones, held_out = seeds["vectors"], seeds["held_out"]
    own = np.random.default_rng(0).permutation(real_ones)[:SAMPLED]
    return {
        "rows": len(real_ones),
        "made": summary(nearest_similarities(own, real_ones)),
        "held_out": summary(nearest_similarities(held_out[:SAMPLED], real_ones)),
    }


def search(folder: str, rows: int, segment_rows: int) -> Figure:
    """Opens segments as one snapshot, and asks for the edits of planted photos; queries are measured by both clocks."""
    store, parts = vector_store(folder), parts_of(rows, segment_rows)
    spec, digest = read_spec(store, next(iter(list_encoders(store))))
    segments = built(folder, parts)
    live = snapshot(1, encoder_id=spec.encoder_id, encoder_digest=digest, segments=segments)
    asked = real.read_asked(Path(folder, ASKED)).vectors
    started = time.perf_counter()
    with OpenSnapshot(store, live) as opened:
        opening = time.perf_counter() - started
        # The first searches read from disk what the others find in memory.
        found = opened.search(asked, K)
        many, many_processor = _timed(opened, asked, BATCH)
        one, one_processor = _timed(opened, asked[:FEW], 1)
    last = nearest_of(folder, parts)[: len(asked), K - 1]
    hits = found.contents == contents_of(0, BLOCK_ROWS)[: len(asked)].view("S32")
    return {
        "opening_seconds": round(opening, 2),
        "recall": round(float(shares_found(found.similarities, last).mean()), 4),
        "planted_first": round(float(hits[:, 0].mean()), 4),
        "planted_in_10": round(float(hits.any(axis=1).mean()), 4),
        "ms_in_batches": round(many, 4),
        "processor_ms_in_batches": round(many_processor, 4),
        "ms_one_by_one": round(one, 4),
        "processor_ms_one_by_one": round(one_processor, 4),
    }


def _timed(opened: OpenSnapshot, asked: np.ndarray, batch: int) -> tuple[float, float]:
    """Returns milliseconds of a query, those that pass and those of the processor: medians of some rounds."""
    passed, busy = [], []
    for _ in range(ROUNDS):
        started, processor = time.perf_counter(), time.process_time()
        for start in range(0, len(asked), batch):
            opened.search(asked[start : start + batch], K)
        passed.append((time.perf_counter() - started) / len(asked))
        busy.append((time.process_time() - processor) / len(asked))
    return 1e3 * float(np.median(passed)), 1e3 * float(np.median(busy))
