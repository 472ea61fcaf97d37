"""Queries per second of a ScaNN segment on one core and on all of them, at the same recall.

    python -m benchmarks.search [--rows 100000] [--dimension 256]

The vectors are made: clusters of unit length, as photos of a few thousand kinds would give. Batches are those of a
`lookup`; one core and all cores take turns, and results are medians.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.results import machine, write_section
from foundation.vectors import exact_neighbours
from pipelines.index.mapped import RowsOnDisk, save_on_disk
from pipelines.index.plan import IndexOptions
from pipelines.index.scann_index import write_scann
from pipelines.index.tune import sample_queries, shares_found
from serving.search.scann_index import ScannIndex, load_searcher

BATCHES = (64, 256, 1_000)
CLUSTERS = 2_000
ROUNDS = 7
K = 10


def made_vectors(rows: int, dimension: int) -> np.ndarray:
    """Returns float32 [rows, dimension] of unit length, in clusters."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((CLUSTERS, dimension)).astype(np.float32)
    vectors = centres[generator.integers(0, CLUSTERS, rows)]
    vectors += 0.7 * generator.standard_normal((rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rate(search, queries: np.ndarray, batch: int) -> float:
    """Returns queries per second of one pass over the queries."""
    started = time.perf_counter()
    for start in range(0, len(queries), batch):
        search(queries[start : start + batch])
    return len(queries) / (time.perf_counter() - started)


def main() -> None:
    """Builds an index, searches it both ways and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=256)
    options = parser.parse_args()
    made = made_vectors(options.rows, options.dimension)
    queries = np.tile(sample_queries(RowsOnDisk(made), "cosine"), (4, 1))
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="firstseen-search-") as name:
        directory = Path(name, "scann")
        vectors = save_on_disk(Path(name, "vectors.npy"), made)
        parameters, recall, _, _ = write_scann(directory, vectors, "cosine", IndexOptions())
        searcher = load_searcher(directory)
        indexes = {
            threads: ScannIndex(searcher, distance="cosine", rows=len(vectors), vectors=vectors, threads=threads)
            for threads in (1, cores)
        }
        rows = []
        for batch in BATCHES:
            rates: dict[int, list[float]] = {threads: [] for threads in indexes}
            for _ in range(ROUNDS):
                for threads, index in indexes.items():
                    searcher.set_num_threads(threads)
                    rates[threads].append(rate(lambda block: index.search(block, K, parameters), queries, batch))  # noqa: B023
            one, every = (statistics.median(rates[threads]) for threads in indexes)
            rows.append(f"| {batch} | {one:,.0f} | {every:,.0f} | {every / one:.2f} |")
            print(rows[-1], flush=True)
        _, found = indexes[cores].search(queries[:1000], K, parameters)
        _, best = exact_neighbours(queries[:1000], vectors, k=K, distance="cosine")
        again = shares_found(found, best[:, -1]).mean()
    lines = [
        f"`python -m benchmarks.search` on {machine()}: {options.rows:,} vectors of {options.dimension} numbers, "
        f"{parameters.leaves_to_search} of {parameters.leaves} leaves searched, recall@10 {recall:.3f} (on all cores "
        f"{again:.3f}). Queries per second, medians.",
        "",
        f"| queries per batch | one core | {cores} cores | ratio |",
        "|---|---|---|---|",
        *rows,
    ]
    write_section("Search", "\n".join(lines))


if __name__ == "__main__":
    main()
