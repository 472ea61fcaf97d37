"""Tells of every file of a store, by what it is, whether it has a trace of what is purged."""

import io
import re
from collections.abc import Iterable, Iterator

import numpy as np

from foundation.store import artifact
from foundation.store.files import READ_CHUNK_BYTES, Store
from foundation.store.segments import CONTENT_HASHES, LOCAL_THUMBNAIL_STARTS, LOCAL_THUMBNAILS, whole_hash
from foundation.store.tables import damaged, open_table
from foundation.store.watched import Found
from pipelines.purge.traces import Purged, hashes_have_trace, table_has_trace

# A name that the object store's client gives to a file while it is uploaded; a killed upload leaves it behind.
UPLOAD = re.compile(r"#\d+$")
FOUND = re.compile(r"^watched/[^/]+/found-[^/]+\.json$")
# Trees over vectors name nothing. Of what is watched and ignored, the description beside it says whose it is.
NAMELESS = re.compile(
    r"^(segments/[^/]+/(local/)?scann/.*|watched/[^/]+/(features\.npz|frame\.jpg)|ignored/[0-9a-f]{64}\.jpg)$"
)


def has_trace(store: Store, path: str, purged: Purged, names: Iterable[str]) -> bool | None:
    """Returns whether a file has a trace, or None for one of a kind that can hold none.

    `names` are the photo_ids that a table there means purged photos by. An upload that was cut off counts as a trace,
    for it may be a part of anything. Raises ArtifactRefusedError for a file that is damaged.
    """
    if UPLOAD.search(path):
        return True
    if path.endswith(".parquet"):
        with open_table(store, path) as table:
            return table_has_trace(table, purged, names)
    if path.endswith(".npy"):
        return hashes_have_trace(load_array(store, path), purged)
    if path.endswith(LOCAL_THUMBNAILS):
        return _has_thumbnail(store, path, purged)
    if FOUND.search(path):
        return any(map(purged.was_found, artifact.read(store, path, Found)[0].photos))
    if path.endswith(".json"):
        words = [content.hex().encode() for content in purged.contents]
        return next(places(store, path, words), None) is not None
    return None if NAMELESS.search(path) else _bytes_have_trace(store, path, purged)


def load_array(store: Store, path: str) -> np.ndarray:
    """Returns a file of hashes, S32; an empty array for a file of anything else, which is not read.

    Raises ArtifactRefusedError for one that is damaged.
    """
    try:
        with store.open(path) as file:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            _, _, dtype = header(file)
        if dtype != np.dtype("S32"):
            return np.empty(0, "S32")
        return np.load(io.BytesIO(store.read(path)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise damaged(path, error) from error


def places(store: Store, path: str, words: Iterable[bytes]) -> Iterator[int]:
    """Yields where any of some words begins in a file, which is read in pieces."""
    wanted = list(words)
    overlap = max(map(len, wanted), default=1) - 1
    with store.open(path) as file:
        data, first = b"", 0
        while wanted and (chunk := bytes(file.read(READ_CHUNK_BYTES))):
            kept = data[len(data) - min(overlap, len(data)) :]
            first += len(data) - len(kept)
            data = kept + chunk
            for word in wanted:
                # One that ends in what was kept was found in the piece before.
                place = data.find(word, max(0, len(kept) - len(word) + 1))
                while place >= 0:
                    yield first + place
                    place = data.find(word, place + 1)


def _has_thumbnail(store: Store, path: str, purged: Purged) -> bool:
    """Returns whether a file of thumbnails has one of what is purged, unless it is that of another content's row.

    Two files that differ in a word of their metadata have the same pixels, and the same thumbnail.
    """
    segment = path.removesuffix(LOCAL_THUMBNAILS)
    found = list(places(store, path, purged.thumbnails))
    if not found or not store.exists(f"{segment}{CONTENT_HASHES}"):
        return bool(found)
    hashes = load_array(store, f"{segment}{CONTENT_HASHES}")
    starts = np.load(io.BytesIO(store.read(f"{segment}{LOCAL_THUMBNAIL_STARTS}")), allow_pickle=False)
    rows = np.searchsorted(starts[:-1], found, side="right") - 1
    return any(whole_hash(content) in purged.contents for content in hashes[rows].tolist())


def _bytes_have_trace(store: Store, path: str, purged: Purged) -> bool:
    """Returns whether a file of no other kind is a purged content, or names or holds one."""
    if bytes.fromhex(store.measure(path)[1]) in purged.contents:
        return True
    words = {one for content in purged.contents for one in (content, content.hex().encode())} | purged.thumbnails
    return next(places(store, path, words), None) is not None
