"""Opens what a segment says of contents that other segments hold: where they occur now, and from where they went."""

from pathlib import Path
from typing import Any

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.store.content_hashes import find_hashes, hash_array
from foundation.store.segments import CHANGED_HASHES, CHANGES, REMOVED_HASHES, Segment
from serving.search.photo_table import PhotoTable

CHANGE_FILES = frozenset([CHANGES, CHANGED_HASHES, REMOVED_HASHES])


class OpenChanges:
    """The changes of one segment, whose files were verified.

    `hashes` are the contents that are mentioned, ascending, and `removed` those that a photo went from, both S32;
    `table` has a row of each of `hashes`.
    """

    def __init__(self, directory: Path, segment: Segment):
        """Raises ArtifactRefusedError if there are others than the description counts."""
        self.hashes = _map(directory / CHANGED_HASHES)
        self.removed = _map(directory / REMOVED_HASHES)
        self.table = PhotoTable(directory / CHANGES)
        if not segment.changes == len(self.hashes) == self.table.rows:
            raise ArtifactRefusedError(
                f"{CHANGES} of segment {segment.segment_id} holds {self.table.rows:,} rows and {CHANGED_HASHES} "
                f"{len(self.hashes):,}, its description counts {segment.changes:,}; index again"
            )

    def occurrences(self, content: bytes) -> list[dict[str, Any]]:
        """Returns what is said of a content (32 bytes): structs of occurrences, none if it is not mentioned."""
        row = int(find_hashes(self.hashes, hash_array([content]))[0])
        return self.table.row(row)["occurrences"] if row >= 0 else []


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)
