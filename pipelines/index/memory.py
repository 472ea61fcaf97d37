"""Estimates the memory that building a segment takes, and how much of it there may be in one."""

from bisect import bisect_right

from foundation.errors import UsageError
from foundation.memory import available_bytes, parse_bytes, show_bytes
from pipelines.runners.names import LOCAL

# What is left to everything else on the machine, unless a limit is given.
AVAILABLE_SHARE = 0.7
# The program, a shard and some thousand photos while they are read, a piece while it is hashed.
FIXED_BYTES = 320_000_000
# A shard with local features, and a tree over few of them.
FIXED_LOCAL_BYTES = 300_000_000
# Hashes and numbers of a row; captions and occurrences are on disk.
ROW_BYTES = 300
# A change that a run says of a content, while it is read, collected and written: 1,435 were measured.
CHANGE_BYTES = 1_500
# Vectors while candidates are scored, mapped from disk, and the tree over them.
VECTOR_COPIES = 1.2
# A tree over local features holds about this much for each while it is made and loaded.
DESCRIPTOR_BYTES = 130
FEWEST_DESCRIPTORS = 250_000
MOST_ROWS = 10**9
# Rows that leaves and hashes are learned from. Of a quarter of the rows, what ScaNN makes of them is little more than
# the vectors once.
FEWEST_TRAINING_ROWS = 20_000
MOST_TRAINING_ROWS = 100_000
TRAINING_SHARE = 0.25
LEARNING_COPIES = 6


def limit_per_worker(limit: str | None, *, runner: str, workers: int) -> int | None:
    """Returns the memory that one build may take; `limit` is what the user gave, None for no limit.

    Processes of the local runner share this machine's; workers of another runner have that much each, and without a
    limit nothing is known of them.
    """
    if runner != LOCAL:
        return parse_bytes("--memory-limit", limit) if limit else None
    total = parse_bytes("--memory-limit", limit) if limit else int(AVAILABLE_SHARE * available_bytes())
    return total // max(1, workers)


def estimate_bytes(rows: int, dimension: int, *, has_features: bool = False, changes: int = 0) -> int:
    """Returns the greatest memory that building a segment of so many rows takes, with local features or without.

    `changes` are what its runs say of other contents: every build reads all of them.
    """
    # A tree is learned first and searched later: the two do not add up.
    copies = max(LEARNING_COPIES * count_training_rows(rows), VECTOR_COPIES * rows)
    fixed = FIXED_BYTES + FIXED_LOCAL_BYTES * has_features + changes * CHANGE_BYTES
    return round(fixed + rows * ROW_BYTES + copies * dimension * 4)


def count_training_rows(rows: int) -> int:
    """Returns how many of the rows, or descriptors, a tree is learned from."""
    return min(rows, MOST_TRAINING_ROWS, max(FEWEST_TRAINING_ROWS, round(rows * TRAINING_SHARE)))


def most_rows(limit: int, dimension: int, *, has_features: bool = False, changes: int = 0) -> int:
    """Returns how many rows a segment may have so that building it stays within a limit; perhaps none."""
    return bisect_right(
        range(1, MOST_ROWS),
        limit,
        key=lambda rows: estimate_bytes(rows, dimension, has_features=has_features, changes=changes),
    )


def require_memory(rows: int, dimension: int, limit: int, *, has_features: bool = False, changes: int = 0) -> None:
    """Raises UsageError if building a segment of so many rows, of one shard, takes more memory than the limit."""
    needed = estimate_bytes(rows, dimension, has_features=has_features, changes=changes)
    if needed > limit:
        beside = f" beside {changes:,} changes of photos" if changes else ""
        what = f"a shard of {rows:,} rows{beside}" if rows else f"a segment of {changes:,} changes of photos"
        raise UsageError(
            f"{what} takes about {show_bytes(needed)} of memory to index; the limit is "
            f"{show_bytes(limit)} per worker: raise --memory-limit, lower --workers, or index on a machine with more"
        )


def most_descriptors(limit: int | None, rows: int, *, most: int) -> int:
    """Returns how many local features one tree of a segment of so many rows may hold, at most `most`."""
    if limit is None:
        return most
    held = FIXED_BYTES + rows * ROW_BYTES
    return min(most, max(FEWEST_DESCRIPTORS, (limit - held) // DESCRIPTOR_BYTES))
