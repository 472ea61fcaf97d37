"""Time and peak memory of building a segment's index, recall and time of its search: before and now, in one run.

    python -m benchmarks.index [--rows 20000 100000 300000] [--dimension 128]

Each build runs in a process of its own, whose peak (VmHWM, mapped files included) the kernel counts. `before` is
ScaNN's own build of all rows at once with the vectors in its memory, searched with the first of some doubled widths
that reaches the target; `now` is what `firstseen index` does to the same vectors; `segment` is a whole segment, from
shards with captions. Recall and time are of queries that nothing was chosen by.

The vectors are made: five photos to a scene, on axes whose variances fall as those of photo-v1's on real photos do.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.results import machine, write_section
from foundation.store.artifact import FileRecord
from foundation.store.encoders import list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.run_tables import shard_schema
from foundation.store.segments import SCANN, VECTORS, SearchParameters, read_segment, segment_directory
from foundation.vectors import exact_neighbours
from pipelines.encode.write_shards import write_shard
from pipelines.index.build_segment import build_segment
from pipelines.index.mapped import RowsOnDisk, save_on_disk, taken_to_disk
from pipelines.index.memory import estimate_bytes
from pipelines.index.plan import IndexOptions, SegmentPlan, ShardReference, Surroundings
from pipelines.index.scann_index import plan_leaves, write_scann
from pipelines.index.tune import sample_queries, shares_found
from serving.search.scann_index import ScannIndex, import_scann, load_searcher
from tests.builders import add_encoder, photo_columns

WAYS = ("before", "now", "segment")
K = 10
QUERIES = 500
BATCH = 64
ROUNDS = 5
# An eigenvalue is e times smaller 30 axes on: 10, 40 and 64 axes hold 28, 74 and 88 % of the variance, where those of
# photo-v1 on 6,409 photos hold 28, 72 and 90 %.
AXES = 30
PHOTOS_PER_SCENE = 5
SHARD_ROWS = 25_000


def made_vectors(rows: int, dimension: int) -> np.ndarray:
    """Returns float32 [rows, dimension] of unit length."""
    generator = np.random.default_rng(0)
    spread = np.exp(-np.arange(dimension) / (2 * AXES)).astype(np.float32)
    scenes = generator.standard_normal((-(-rows // PHOTOS_PER_SCENE), dimension), np.float32) * spread
    vectors = scenes[generator.integers(0, len(scenes), rows)]
    vectors += generator.standard_normal((rows, dimension), np.float32) * spread
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build_before(folder: Path, vectors: np.ndarray, target: float) -> tuple[ScannIndex, SearchParameters, np.ndarray]:
    """Builds the index as version 2 of the contracts did; vectors: float32 [rows, dimension] in memory."""
    vectors = vectors[np.random.default_rng(1).permutation(len(vectors))]
    leaves = plan_leaves(len(vectors))
    parameters = SearchParameters(leaves=leaves, leaves_to_search=leaves // 10, reorder=200)
    builder = import_scann().scann_ops_pybind.builder(vectors, K, "dot_product")
    tree = builder.tree(leaves, parameters.leaves_to_search, training_sample_size=min(len(vectors), 250_000))
    searcher = tree.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(parameters.reorder).build()
    index = ScannIndex(searcher, distance="cosine", rows=len(vectors))
    queries = sample_queries(RowsOnDisk(vectors), "cosine")
    _, best = exact_neighbours(queries, vectors, k=K, distance="cosine")
    while shares_found(index.search(queries, K, parameters)[1], best[:, -1]).mean() < target:
        parameters = SearchParameters(
            leaves=leaves,
            leaves_to_search=min(leaves, 2 * parameters.leaves_to_search),
            reorder=min(2 * parameters.reorder, 1_600),
        )
    (folder / "scann").mkdir()
    searcher.serialize(str(folder / "scann"), relative_path=True)
    return index, parameters, vectors


def build_now(folder: Path, vectors: np.ndarray, target: float) -> tuple[ScannIndex, SearchParameters, np.ndarray]:
    """Builds the index as a segment is built; vectors: float32 [rows, dimension] in memory."""
    ordered = taken_to_disk(vectors, np.random.default_rng(1).permutation(len(vectors)))
    del vectors
    mapped = save_on_disk(folder / "vectors.npy", ordered)
    found = write_scann(folder / "scann", mapped, "cosine", IndexOptions(target_recall=target, min_recall=0))
    searcher = load_searcher(folder / "scann")
    index = ScannIndex(searcher, distance="cosine", rows=len(mapped), vectors=mapped)
    return index, found.parameters, mapped


def status(name: str) -> int:
    """Returns one of the kernel's figures of this process, in bytes."""
    return 1024 * int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


def build_segment_now(folder: Path, target: float) -> tuple[ScannIndex, SearchParameters, np.ndarray]:
    """Builds a whole segment of the shards in the store in a folder."""
    store = Store(folder / "store")
    shards = json.loads((folder / "shards.json").read_text())
    references = [ShardReference(path, rows, FileRecord(*record), "none", "a", 1) for path, rows, record in shards]
    spec, digest = read_spec(store, next(iter(list_encoders(store))))
    options = IndexOptions(target_recall=target, min_recall=0, exact_below=0)
    plan, around = SegmentPlan(0, references, {}), Surroundings()
    _, built = build_segment(plan, store=store, spec=spec, encoder_digest=digest, options=options, surroundings=around)
    directory = store.local_root / segment_directory(built.segment_id)
    vectors = np.load(directory / VECTORS, mmap_mode="r")
    index = ScannIndex(load_searcher(directory / SCANN), distance="cosine", rows=len(vectors), vectors=vectors)
    return index, read_segment(store, built).parameters, vectors


def write_shards(folder: Path, vectors: np.ndarray) -> None:
    """Writes the vectors into a store, as shards of photos with captions of a hundred characters."""
    store = Store(folder / "store", create=True)
    encoder_id = add_encoder(store, dimension=vectors.shape[1])
    _, digest = read_spec(store, encoder_id)
    schema = shard_schema(vectors.shape[1], "float32", encoder_digest=digest, run_id="run", features="none")
    described = []
    for first in range(0, len(vectors), SHARD_ROWS):
        some = vectors[first : first + SHARD_ROWS]
        photos = [photo_columns(f"archive/2024/photo-{first + number:09}.jpg") for number in range(len(some))]
        for photo in photos:
            words = {"caption": photo["photo_id"] * 4, "credit": "Desk", "source": "wire"}
            photo["occurrences"] = [one | words for one in photo["occurrences"]]
        rows = [photo | {"embedding": vector} for photo, vector in zip(photos, some, strict=True)]
        written = write_shard(store, "embeddings/run", pa.Table.from_pylist(rows, schema=schema))
        described.append((f"embeddings/run/{written.name}", written.rows, astuple(written.record)))
    (folder / "shards.json").write_text(json.dumps(described))


def measure(way: str, folder: Path, target: float) -> None:
    """Builds in one way and prints what it took, and how the index answers queries that nothing was chosen by."""
    import_scann()
    fixed, started = status("VmRSS"), time.perf_counter()
    if way == "segment":
        index, parameters, vectors = build_segment_now(folder, target)
    else:
        # Bound to no name here: what is in memory is the builder's alone.
        build = build_before if way == "before" else build_now
        index, parameters, vectors = build(Path(tempfile.mkdtemp(dir=folder)), np.load(folder / "made.npy"), target)
    seconds, peak = time.perf_counter() - started, status("VmHWM")
    queries = sample_queries(RowsOnDisk(vectors), "cosine", count=QUERIES, seed=5)
    _, best = exact_neighbours(queries, vectors, k=K, distance="cosine")
    times, recalls = [], []
    for _ in range(ROUNDS):
        for start in range(0, len(queries), BATCH):
            begun = time.process_time()
            _, found = index.search(queries[start : start + BATCH], K, parameters)
            times.append((time.process_time() - begun) / len(found))
            recalls.append(shares_found(found, best[start : start + BATCH, -1]))
    print(
        json.dumps(
            {
                "seconds": seconds,
                "fixed": fixed,
                "peak": peak,
                "recall": float(np.concatenate(recalls).mean()),
                "microseconds": 1e6 * float(np.median(times)),
                "searched": f"{parameters.leaves_to_search} of {parameters.leaves} leaves, {parameters.reorder}",
            }
        )
    )


def rows_of_table(rows: int, dimension: int, target: float) -> list[str]:
    """Returns the lines of the table for so many rows; each way is measured in a process of its own."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="firstseen-index-") as name:
        folder = Path(name)
        made = made_vectors(rows, dimension)
        np.save(folder / "made.npy", made)
        write_shards(folder, made)
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.index", "--measure", way, "--folder", name]
            command += ["--target", str(target)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
            one = json.loads(done.stdout.splitlines()[-1])
            peak, beside = one["peak"] / made.nbytes, (one["peak"] - one["fixed"]) / made.nbytes
            estimate = f"{estimate_bytes(rows, dimension) / one['peak']:.2f}" if way == "segment" else ""
            lines.append(
                f"| {rows:,} | {way} | {one['seconds']:.1f} | {one['peak'] / 1e6:,.0f} | {peak:.2f} | {beside:.2f} | "
                f"{estimate} | {one['recall']:.3f} | {one['microseconds']:.0f} | {one['searched']} |"
            )
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Measures each way on each number of rows and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000, 300_000])
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--target", type=float, default=0.95)
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.folder, options.target)
        return
    lines = [line for rows in options.rows for line in rows_of_table(rows, options.dimension, options.target)]
    text = [
        f"`python -m benchmarks.index` on {machine()}: vectors of {options.dimension} numbers, recall@10 of at least "
        f"{options.target} asked for, measured with {QUERIES} other queries in batches of {BATCH}. Memory is the peak "
        "of the process (VmHWM), mapped files included; `x matrix` is that in float32 matrices, whole and without what "
        "the process holds before it begins. Estimate: what the planner expects, as a share of the peak. µs are the "
        "processor's, over all cores.",
        "",
        "| rows | way | build s | peak MB | x matrix | without fixed | estimate | recall | µs a query | searched |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *lines,
    ]
    write_section("Index", "\n".join(text))


if __name__ == "__main__":
    main()
