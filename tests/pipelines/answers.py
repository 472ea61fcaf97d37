"""Asks a store all that it can answer without an encoder: which contents are found, and who has them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pyarrow import parquet

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.snapshots import read_snapshot
from serving.search.snapshot import OpenSnapshot


def contents_of(root: Path) -> list[bytes]:
    """Returns every content that any inventory of a store names."""
    found: set[bytes] = set()
    for path in root.glob("embeddings/*/*/inventory*.parquet"):
        found |= set(parquet.read_table(path, columns=["content_sha256"])["content_sha256"].to_pylist()) - {None}
    return sorted(found)


def answers(root: Path, contents: list[bytes]) -> dict[bytes, Any]:
    """Returns of each content that can be found who has it, its vector, and whether its features can be compared."""
    store, found = Store(root), {}
    with OpenSnapshot(store) as opened:
        for content, places in zip(contents, opened.places(contents), strict=True):
            occurrences = [replace(one, generation=0) for one in opened.occurrences(content)]
            if places and occurrences:
                found[content] = (
                    sorted(occurrences, key=key),
                    opened.vectors(places[:1]).tolist(),
                    opened.has_local_features,
                )
    return {**found, b"counts": (read_snapshot(store).photos, read_snapshot(store).contents)}


def key(occurrence: Occurrence) -> tuple[str, str]:
    """Returns what tells one photo from another."""
    return occurrence.archive, occurrence.photo_id
