"""Proves that nothing is left of what was purged: goes through every file of a store, whoever lists it."""

import io
import json
from collections.abc import Iterator

import numpy as np

from foundation.store.amendments import AMENDMENTS
from foundation.store.builds import BUILDS
from foundation.store.files import READ_CHUNK_BYTES, Store
from foundation.store.retractions import RETRACTIONS
from foundation.store.run_paths import EMBEDDINGS, RUN_DESCRIPTION
from foundation.store.segments import CONTENT_HASHES, LOCAL_THUMBNAIL_STARTS, SEGMENTS, whole_hash
from foundation.store.snapshots import SNAPSHOTS
from foundation.store.tables import open_table
from foundation.store.unfinished import BEGUN
from pipelines.purge.traces import Purged, hashes_have_trace, load_array, table_has_trace

# Descriptions here name no photo; a photo may be called like something that they do name.
NAMELESS = (EMBEDDINGS, SEGMENTS, SNAPSHOTS, AMENDMENTS, BUILDS)
LARGEST_JSON_BYTES = 64 * 2**20


def find_traces(store: Store, purged: Purged) -> tuple[int, list[str]]:
    """Returns (files read, those with a trace): of the names and hashes of tables, hashes, thumbnails, and JSON.

    Vectors, local features and encoders name nothing, and are not read. The list of retractions is where the name and
    the hash of a withdrawn photo stay.
    """
    archives: dict[str, str | None] = {}
    read, found = 0, []
    for file in store.walk():
        if file.path.startswith((f"{RETRACTIONS}/", "encoders/")):
            continue
        verdict = _look(store, file.path, file.size_bytes, purged, archives)
        read += verdict is not None
        if verdict:
            found.append(file.path)
    return read, found


def _look(store: Store, path: str, size_bytes: int, purged: Purged, archives: dict[str, str | None]) -> bool | None:
    """Returns whether a file has a trace, or None for one that can hold none."""
    if path.endswith(".parquet"):
        with open_table(store, path) as file:
            return table_has_trace(file, purged, _names(store, path, purged, archives))
    if path.endswith(".npy"):
        return hashes_have_trace(load_array(store, path), purged)
    if path.endswith(".json") and size_bytes < LARGEST_JSON_BYTES:
        data = store.read(path)
        words = [content.hex() for content in purged.contents]
        if path.partition("/")[0] not in NAMELESS:
            words += [json.dumps(name) for _, name in purged.photos]
        return any(word.encode() in data for word in words)
    if path.endswith("thumbnails.bin"):
        return _has_thumbnail(store, path, purged)
    return None


def _names(store: Store, path: str, purged: Purged, archives: dict[str, str | None]) -> set[str]:
    """Returns the photo_ids that a table means purged photos by: those of the archive of its run."""
    parts = path.split("/")
    if parts[0] == "segments":
        return set()
    if parts[0] != EMBEDDINGS or len(parts) < 4:
        return {name for _, name in purged.photos}
    directory = "/".join(parts[:3])
    if directory not in archives:
        archives[directory] = _archive(store, directory)
    archive = archives[directory]
    return {name for _, name in purged.photos} if archive is None else purged.names_in(archive)


def _archive(store: Store, directory: str) -> str | None:
    if store.exists(f"{directory}/{RUN_DESCRIPTION}"):
        return str(json.loads(store.read(f"{directory}/{RUN_DESCRIPTION}"))["archive"])
    if store.exists(f"{directory}/{BEGUN}"):
        return str(json.loads(store.read(f"{directory}/{BEGUN}"))["run"]["archive"])
    return None


def _has_thumbnail(store: Store, path: str, purged: Purged) -> bool:
    """Returns whether a file of thumbnails has one of what is purged, unless it is that of another content's row.

    Two files that differ in a word of their metadata have the same pixels, and the same thumbnail.
    """
    folder = path.rpartition("/")[0]
    segment = folder.rpartition("/")[0]
    found = list(_places(store, path, purged))
    if not found or not store.exists(f"{segment}/{CONTENT_HASHES}"):
        return bool(found)
    hashes = np.load(io.BytesIO(store.read(f"{segment}/{CONTENT_HASHES}")), allow_pickle=False)
    starts = np.load(io.BytesIO(store.read(f"{segment}/{LOCAL_THUMBNAIL_STARTS}")), allow_pickle=False)
    rows = np.searchsorted(starts[:-1], found, side="right") - 1
    return any(whole_hash(content) in purged.contents for content in hashes[rows].tolist())


def _places(store: Store, path: str, purged: Purged) -> Iterator[int]:
    """Yields where thumbnails of what is purged begin in a file."""
    overlap = max(map(len, purged.thumbnails), default=0)
    with store.open(path) as file:
        data, first = b"", 0
        while purged.thumbnails and (chunk := bytes(file.read(READ_CHUNK_BYTES))):
            kept = data[-overlap:]
            first += len(data) - len(kept)
            data = kept + chunk
            for thumbnail in purged.thumbnails:
                place = data.find(thumbnail)
                while place >= 0:
                    yield first + place
                    place = data.find(thumbnail, place + 1)
