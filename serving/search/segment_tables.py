"""Opens the tables of one segment: which contents it holds, and what it says of them and of others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.content_hashes import find_hashes, hash_array
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.segments import CONTENT_HASHES, PHOTOS, Segment, segment_directory, whole_hash
from serving.search.changes import CHANGE_FILES, OpenChanges
from serving.search.photo_table import PhotoTable

# What a catalog says of one photo: in segments that name no archive it stands in the row of the first published one.
WORDS = ("caption", "credit", "source")


def table_files(segment: Segment) -> set[str]:
    """Returns the files that the tables of a segment are read from."""
    rows = {PHOTOS, CONTENT_HASHES} if segment.rows else set()
    return rows | (CHANGE_FILES if segment.has_changes else set())


@contextmanager
def verified_files(store: Store, segment: Segment, names: set[str]) -> Iterator[Path]:
    """Yields a directory with some files of a segment, each as segment.json lists it; a bucket's are copied.

    Raises ArtifactRefusedError for one that is not listed or differs from its digest.
    """
    prefix = segment_directory(segment.segment_id)
    if missing := names - set(segment.files):
        raise ArtifactRefusedError(f"{prefix}/segment.json does not list {sorted(missing)}; index again")
    with store.local_copy(prefix, sorted(names)) as directory:
        # What is merged gets new digests: damage that slipped through would be sound ever after.
        listed = {name: segment.files[name] for name in names}
        artifact.verify_files(Store(directory), ".", listed, original=prefix)
        yield directory


@contextmanager
def open_tables(store: Store, segment: Segment) -> Iterator["SegmentTables"]:
    """Opens what a segment says, some hundred bytes a content; raises ArtifactRefusedError for damage."""
    with verified_files(store, segment, table_files(segment)) as directory:
        yield SegmentTables(directory, segment)


class SegmentTables:
    """What a segment says, without what photos are found by; its files were verified.

    `hashes` are the contents that it holds, S32 ascending, mapped from disk; `changes` is what it says of contents
    beside its rows, None if that is nothing. One of changes alone has no rows.
    """

    def __init__(self, directory: Path, segment: Segment):
        self.segment = segment
        self.changes = OpenChanges(directory, segment) if segment.has_changes else None
        self.hashes = np.empty(0, "S32")
        if segment.rows:
            # Mapped, not read: a binary search touches some pages of 32 MB per million rows. Pickles would run a
            # program.
            self.hashes = np.load(directory / CONTENT_HASHES, mmap_mode="r", allow_pickle=False)
            self._photos = PhotoTable(directory / PHOTOS)

    def find(self, contents: Sequence[bytes]) -> list[int | None]:
        """Returns the row of each content hash (32 bytes), or None where the segment does not hold it."""
        return [row if row >= 0 else None for row in self.rows_of(hash_array(contents)).tolist()]

    def rows_of(self, contents: np.ndarray) -> np.ndarray:
        """Returns int64 [contents]: the row of each content hash, S32, or -1."""
        return find_hashes(self.hashes, contents)

    def contents(self, rows: np.ndarray) -> np.ndarray:
        """Returns the content hashes of some rows: S32, of the shape of `rows`."""
        return self.hashes[rows]

    def content(self, row: int) -> bytes:
        """Returns the content hash of one row, 32 bytes."""
        return whole_hash(self.hashes[row])

    def photo(self, row: int) -> dict[str, Any]:
        """Returns the columns of one photo; `caption` and `credit` are what its file says of itself.

        Reads one row group, or none if it was read lately.
        """
        photo = self._photos.row(row)
        return photo if self.segment.names_archives else _with_words_in_place(photo)

    def occurrences(self, content: bytes) -> list[Occurrence]:
        """Returns what the segment says of where a content (32 bytes) occurs, what corrects it last."""
        (row,) = self.find([content])
        structs = [] if row is None else self.photo(row)["occurrences"]
        if self.changes:
            structs = [*structs, *self.changes.occurrences(content)]
        return list(map(Occurrence.from_struct, structs))

    @property
    def tables(self) -> list[tuple[np.ndarray, PhotoTable]]:
        """The tables, in the order in which what they say counts, each with the contents of its rows."""
        held = [(self.hashes, self._photos)] if self.segment.rows else []
        return held + ([(self.changes.hashes, self.changes.table)] if self.changes else [])

    def who(self, contents: np.ndarray) -> Iterator[pa.Table]:
        """Yields who has or had some contents, S32 ascending, as `PhotoTable.who` does; `number` is the content's."""
        for hashes, table in self.tables:
            rows = find_hashes(hashes, contents)
            (numbers,) = np.nonzero(rows >= 0)
            for found in table.who(rows[numbers]):
                yield found.set_column(0, "number", pa.array(numbers[found["number"].to_numpy()]))


def _with_words_in_place(photo: dict[str, Any]) -> dict[str, Any]:
    """Returns the columns of a row of version 1 or 2 as later ones have them: the words stand in its occurrence."""
    words = {name: photo[name] for name in WORDS}
    own = [one | words if one["uri"] == photo["uri"] else one for one in photo["occurrences"]]
    return photo | dict.fromkeys(WORDS) | {"occurrences": own}
