"""Decides which contents of a snapshot must not be found: those without any photo, retracted and ignored ones."""

from collections.abc import Iterable, Sequence
from threading import Lock

import numpy as np
import pyarrow as pa

from foundation.store.content_hashes import hash_array
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, latest_occurrences
from serving.search.ignored import IgnoredBank, IgnoredPhotos
from serving.search.retracted import RetractedPhotos
from serving.search.segment import OpenSegment
from serving.search.segment_tables import SegmentTables

# Contents that are looked at together: their occurrences take some hundred bytes each.
BLOCK_CONTENTS = 2**18

# Of each segment which rows must not be found, bool [rows], or None where all of them may be.
Masks = Sequence[np.ndarray | None]


class HiddenContents:
    """What must not be answered: contents without any photo, and what a store's lists say; threads may share it.

    `gone` are contents, S32, that no photo has any more: see `without_photos`.
    """

    def __init__(self, store: Store, gone: np.ndarray):
        """Reads what is retracted and ignored; raises ArtifactRefusedError if one of both is damaged or missing."""
        self._gone = gone
        self._retracted = RetractedPhotos(store)
        self._ignored = IgnoredPhotos(store)
        self._refreshing = Lock()

    @property
    def ignored(self) -> IgnoredBank:
        """What is ignored, as of the last look: of itself hidden here, and passed over where queries show it."""
        return self._ignored.bank

    @property
    def listed(self) -> tuple[frozenset[bytes], IgnoredBank]:
        """What both lists say, as of the last look: the contents that are retracted (32 bytes each), and the bank."""
        return self._retracted.contents, self._ignored.bank

    @property
    def entries(self) -> int:
        """How many entries both lists had at the last look: more than before if anything was put on one of them."""
        return self._retracted.entries + self._ignored.entries

    @property
    def age_seconds(self) -> float:
        """How long ago the last look at both lists was."""
        return max(self._retracted.age_seconds, self._ignored.age_seconds)

    def refresh(self, *, at_once: bool = False) -> None:
        """Takes up what was retracted or ignored since the last look, if that was some time ago: see `FollowedList`."""
        with self._refreshing:
            self._retracted.look(at_once=at_once)
            self._ignored.look(at_once=at_once)

    def all(self) -> np.ndarray:
        """Returns the contents that must not be found, S32 ascending."""
        retracted, bank = self.listed
        return np.union1d(self._gone, hash_array(retracted | bank.contents))

    def shown(self, content: bytes, occurrences: Iterable[Occurrence]) -> list[Occurrence]:
        """Returns what is left of a content's occurrences in all segments, first published first.

        Of each photo it is the latest; without any the content is hidden.
        """
        if content in self._retracted.contents or content in self.ignored.contents:
            return []
        return [
            one
            for one in latest_occurrences(occurrences)
            if not one.is_removed and (one.archive, one.photo_id) not in self._retracted.names
        ]


class Hidden(HiddenContents):
    """What must not be found in some open segments; threads may share it.

    `masks` are replaced and never written to: whoever searches keeps those that he began with. What is `gone` is found
    in these segments, unless it is handed in because others say more of their contents.
    """

    def __init__(self, store: Store, segments: Sequence[OpenSegment], gone: np.ndarray | None = None):
        """Reads what is retracted and ignored; raises ArtifactRefusedError if one of both is damaged or missing."""
        super().__init__(store, without_photos(segments) if gone is None else gone)
        self._segments = segments
        self._passed_over: frozenset[bytes] = frozenset()
        self._masking = Lock()
        self.masks: Masks = self._masks()

    def refresh(self, *, at_once: bool = False) -> None:
        """Takes up what was retracted or ignored since the last look, if that was some time ago: see `FollowedList`."""
        try:
            super().refresh(at_once=at_once)
        finally:
            # What one list brought counts, also if the other cannot be read at the moment.
            with self._masking:
                if self._made_of != self.listed:
                    self.masks = self._masks()

    def pass_over(self, contents: Iterable[bytes]) -> None:
        """Does not find these contents (32 bytes each), nor those of an earlier call any longer than to this one."""
        with self._masking:
            self._passed_over = frozenset(contents)
            self.masks = self._masks()

    def _masks(self) -> Masks:
        self._made_of = self.listed
        hidden = np.union1d(self.all(), hash_array(self._passed_over))
        return [_mask(segment, hidden) for segment in self._segments]


def _mask(segment: OpenSegment, hidden: np.ndarray) -> np.ndarray | None:
    rows = segment.rows_of(hidden)
    if not (rows >= 0).any():
        return None
    mask = np.zeros(segment.segment.rows, bool)
    mask[rows[rows >= 0]] = True
    return mask


def without_photos(segments: Sequence[SegmentTables]) -> np.ndarray:
    """Returns the contents, S32 ascending, that some photo went from, and that none has any more.

    Costs a second per 100,000 removals and 10 segments: a loop over `latest_occurrences` would take ten times as long.
    """
    removed = [segment.changes.removed for segment in segments if segment.changes]
    if not removed:
        return np.empty(0, "S32")
    suspects = np.unique(np.concatenate(removed))
    # Tables are in the order of the hashes, as suspects are: no row group is read for more than two blocks.
    blocks = np.split(suspects, range(BLOCK_CONTENTS, len(suspects), BLOCK_CONTENTS))
    return np.concatenate([block[~_has_photo(segments, block)] for block in blocks])


def _has_photo(segments: Sequence[SegmentTables], contents: np.ndarray) -> np.ndarray:
    """Returns, of contents, S32 ascending, whether a photo has them: bool [contents]."""
    has_photo = np.zeros(len(contents), bool)
    tables = [table for segment in segments for table in segment.who(contents)]
    if tables:
        has_photo[_numbers_with_photo(pa.concat_tables(tables).combine_chunks())] = True
    return has_photo


def _numbers_with_photo(who: pa.Table) -> np.ndarray:
    """Returns the numbers of the contents that `latest_occurrences` leaves a photo of; rows are in the order met."""
    import pyarrow.compute as pc

    number, generation = who["number"].to_numpy(), who["generation"].to_numpy()
    is_named = pc.not_equal(who["archive"], "")
    name = pc.if_else(is_named, who["photo_id"], who["uri"])
    photo = _codes(pc.binary_join_element_wise(who["archive"], name, "\0"))
    # The latest of each photo of each content is the last of its group; a stable sort keeps the order met.
    order = np.lexsort((generation, photo, number))
    is_last = np.r_[(np.diff(number[order]) != 0) | (np.diff(photo[order]) != 0), True][: len(order)]
    latest = order[is_last]
    has_it = ~who["is_removed"].to_numpy()
    named = is_named.to_numpy()
    if not named.all():
        # What names no archive gives way to what does at the same uri.
        uri = _codes(who["uri"])
        place = number * (1 + uri.max(initial=0)) + uri
        has_it &= named | ~np.isin(place, place[named])
    return np.unique(number[latest[has_it[latest]]])


def _codes(texts: pa.ChunkedArray) -> np.ndarray:
    """Returns a number for each text, int64, the same for the same."""
    return texts.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
