"""Knows which query of which chunk holds the answer to each content that was answered."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from foundation.store.content_hashes import find_hashes, hash_array
from pipelines.lookup.contents import Contents
from pipelines.lookup.files import READERS, WorkingFiles
from pipelines.lookup.names import answers_file


class QueryPlace(NamedTuple):
    """Where a query stands in its list: the number of its chunk, and its place there."""

    chunk: int
    number: int


class Owners:
    """The contents that were answered, each with its query: 50 bytes a content."""

    def __init__(self) -> None:
        self._hashes = np.empty(0, "S32")
        self._chunks = self._numbers = np.empty(0, np.int64)

    def add(self, files: WorkingFiles, chunks: Iterable[int]) -> np.ndarray:
        """Takes up the answers of some chunks; returns the contents that are new, S32 ascending."""
        chunks = list(chunks)
        if not chunks:
            return np.empty(0, "S32")
        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(lambda chunk: files.read(answers_file(chunk), "contents", Contents), chunks))
        hashes = np.concatenate([one.hashes for one in found])
        of_chunk = np.repeat(chunks, [len(one.hashes) for one in found])
        numbers = np.concatenate([one.numbers for one in found])
        # Two workers may have asked the same in one round: the answers are the same, too.
        hashes, first = np.unique(hashes, return_index=True)
        is_new = find_hashes(self._hashes, hashes) < 0
        fresh = hashes[is_new]
        whole = np.concatenate([self._hashes, fresh])
        order = np.argsort(whole, kind="stable")
        self._hashes = whole[order]
        self._chunks = np.concatenate([self._chunks, of_chunk[first][is_new]])[order]
        self._numbers = np.concatenate([self._numbers, numbers[first][is_new]])[order]
        return fresh

    def owner(self, content: bytes) -> QueryPlace | None:
        """Returns the query that holds the answer to a content (32 bytes)."""
        (place,) = find_hashes(self._hashes, hash_array([content])).tolist()
        return QueryPlace(int(self._chunks[place]), int(self._numbers[place])) if place >= 0 else None
