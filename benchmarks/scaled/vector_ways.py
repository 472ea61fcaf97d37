"""Searches one segment of made vectors with other numbers of leaves than the one that was chosen for it."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.scaled import real
from benchmarks.scaled.figures import Figure
from benchmarks.scaled.vectors import ASKED, BATCH, BLOCK_ROWS, ROUNDS, K, built, contents_of, nearest_of, vector_store
from foundation.store.segments import CONTENT_HASHES, read_segment, segment_directory
from pipelines.index.tune import shares_found
from serving.search.scann_index import ScannIndex
from serving.search.segment import open_vectors


def search_leaves(folder: str, rows: int, leaves: int) -> Figure:
    """Asks a segment for the edits of planted photos, in so many of its leaves."""
    store, parts = vector_store(folder), [(0, rows)]
    segment = read_segment(store, *built(folder, parts))
    place = store.local_root / segment_directory(segment.segment_id)
    hashes = np.load(place / CONTENT_HASHES, mmap_mode="r", allow_pickle=False)
    index = ScannIndex.load(place, segment, open_vectors(place, segment))
    asked = real.read_asked(Path(folder, ASKED)).vectors
    parameters = replace(segment.parameters, leaves_to_search=min(leaves, segment.parameters.leaves))
    busy = []
    # The first round reads from disk what the others find in memory.
    for _ in range(ROUNDS + 1):
        processor = time.process_time()
        found = [index.search(asked[start : start + BATCH], K, parameters) for start in range(0, len(asked), BATCH)]
        busy.append((time.process_time() - processor) / len(asked))
    places, similarities = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    hits = hashes[np.maximum(places, 0)] == contents_of(0, BLOCK_ROWS)[: len(asked)].view("S32")
    return {
        "leaves": segment.parameters.leaves,
        "recall": round(float(shares_found(similarities, nearest_of(folder, parts)[: len(asked), K - 1]).mean()), 4),
        "planted_first": round(float(hits[:, 0].mean()), 4),
        "planted_in_10": round(float(hits.any(axis=1).mean()), 4),
        "processor_ms": round(1e3 * float(np.median(busy[1:])), 4),
    }
