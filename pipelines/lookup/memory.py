"""Estimates the memory that opening a segment takes, by its description alone."""

from collections.abc import Sequence

from foundation.errors import UsageError
from foundation.memory import show_bytes
from foundation.store.segments import (
    CONTENT_HASHES,
    LOCAL_SCANN,
    PHOTOS,
    SCANN,
    SCANN_VECTORS,
    VECTORS,
    Segment,
    segment_directory,
)

# The program with TensorFlow and the encoder, and a chunk of queries with their pictures and features: 640 MB were
# measured, with photographs of half a megapixel.
FIXED_BYTES = 800_000_000
# What is kept of a photo table: 64 row groups, which take some three times their size in the file.
TABLE_BYTES, TABLE_TIMES = 64_000_000, 3
# ScaNN reads its files and holds what it makes of them.
SCANN_TIMES = 1.2
# Whether a row is hidden, for one mask that is in use and one that replaces it.
MASK_BYTES = 2


def bytes_to_open(segment: Segment) -> int:
    """Returns the memory that an open segment takes while it is searched.

    The rule: ScaNN's files 1.2 times, what every search reads through once (vectors and descriptors where there is no
    tree over them, content hashes, keypoints), two bytes a row, and 64 MB of its photo table at most. Files that are
    mapped count in full: the kernel may drop their pages, and each search would read them again.
    """
    sizes = {name: record.size_bytes for name, record in segment.files.items()}
    trees = [name for name in sizes if name.startswith((f"{SCANN}/", f"{LOCAL_SCANN}/"))]
    mapped = sum(sizes.get(name, 0) for name in (CONTENT_HASHES, VECTORS))
    in_trees = sum(sizes[name] for name in trees if name != SCANN_VECTORS)
    local = segment.local_search_bytes - sum(sizes[name] for name in trees if name.startswith(f"{LOCAL_SCANN}/"))
    table = min(TABLE_BYTES, TABLE_TIMES * sizes.get(PHOTOS, 0))
    return round(mapped + SCANN_TIMES * in_trees + local + table + MASK_BYTES * segment.rows)


def require_room(segments: Sequence[Segment], limit: int) -> None:
    """Raises UsageError if a segment alone takes more memory than a worker has."""
    for segment in segments:
        needed = bytes_to_open(segment) + FIXED_BYTES
        if needed > limit:
            raise UsageError(
                f"{segment_directory(segment.segment_id)} takes about {show_bytes(needed)} of memory to search; the "
                f"limit is {show_bytes(limit)} per worker: raise --memory-limit, lower --workers, or look up on a "
                "machine with more"
            )
