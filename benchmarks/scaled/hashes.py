"""Measures what looking for contents among the hashes of many segments costs, and a shard's lines in run.json."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from benchmarks.scaled.figures import Figure
from foundation.store.artifact import FileRecord
from foundation.store.content_hashes import hash_array, in_any

SEGMENTS, ROWS = 10, 1_000_000
# Rows of a batch of an inventory, as pyarrow reads them.
BLOCK = 65_536
SHARDS = 10_000


def look_for(_folder: str) -> Figure:
    """Looks for one content, and for a block of them in order, among the hashes of ten segments of a million."""
    generator = np.random.default_rng(0)
    held = [np.sort(np.frombuffer(generator.bytes(32 * ROWS), "S32")) for _ in range(SEGMENTS)]
    one, many = hash_array([generator.bytes(32)]), np.sort(np.frombuffer(generator.bytes(32 * BLOCK), "S32"))
    names = [f"part-{uuid.uuid4().hex}.parquet" for _ in range(SHARDS)]
    digest = hashlib.sha256().hexdigest()
    said = {"rows": dict.fromkeys(names, 512), "files": dict.fromkeys(names, asdict(FileRecord(9_000_000, digest)))}
    return {
        "one_seconds": _seconds(lambda: in_any(held, one), 300) / SEGMENTS,
        "block_seconds": _seconds(lambda: in_any(held, many), 3) / SEGMENTS,
        "block": BLOCK,
        "shard_bytes": len(json.dumps(said)) / SHARDS,
    }


def _seconds(work: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times
