"""Photos in, matches out: decode → encode → search → first seen."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np

from foundation.encoder import load
from foundation.errors import FirstseenError, UsageError
from foundation.photos import photo
from foundation.photos.photo import Photo
from foundation.store.files import Store
from foundation.vectors import to_score
from serving.answers import Answer, Status
from serving.search.snapshot import Neighbour, OpenSnapshot

# Below this standard deviation (of 255 grey levels) a photo is one flat colour: it resembles every other flat one.
BLANK_DEVIATION = 2.0


@dataclass(frozen=True)
class Query:
    """A photo to look up: its name as the user gave it, and how to get its bytes."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class MatchOptions:
    """How many matches a query gets, and how good they must be."""

    top_k: int = 10
    min_score: float = 0.0
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        if not 1 <= self.top_k <= 1000:
            raise UsageError(f"top-k is {self.top_k}; expected 1 to 1000")
        if not 0 <= self.min_score <= 1:
            raise UsageError(f"min-score is {self.min_score}; expected 0 to 1")
        if not 1 <= self.batch_size <= 4_096:
            raise UsageError(f"batch-size is {self.batch_size}; expected 1 to 4096")


class Matcher:
    """Answers batches of queries against one snapshot, with the encoder that the snapshot names.

    Raises ArtifactRefusedError if any file of the snapshot or the encoder differs from its digest.
    """

    def __init__(self, store: Store, opened: OpenSnapshot, options: MatchOptions | None = None):
        self._opened = opened
        self._options = options or MatchOptions()
        self._snapshot = opened.snapshot
        self._encoder = load(
            store,
            self._snapshot.encoder_id,
            expected_digest=self._snapshot.encoder_digest,
            batch_size=self._options.batch_size,
        )
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")

    def match_all(self, queries: Iterable[Query]) -> Generator[list[Answer], None, None]:
        """Yields the answers query by query, in their order; holds one batch of small squares at a time."""
        waiting = iter(queries)
        while batch := list(islice(waiting, self._options.batch_size)):
            yield from self.match(batch)

    def match(self, queries: Sequence[Query]) -> list[list[Answer]]:
        """Returns the answers of each query, best first; a query that cannot be used has one row that says why."""
        decoded = list(self._pool.map(self._decode, queries))
        photos = [one for one in decoded if isinstance(one, Photo)]
        neighbours = iter(self._neighbours(photos)) if photos else iter(())
        return [
            self._answers(query, one, next(neighbours))
            if isinstance(one, Photo)
            else [self._row(query, "rejected", one)]
            for query, one in zip(queries, decoded, strict=True)
        ]

    def pictures(self, places: Sequence[Neighbour]) -> np.ndarray:
        """Returns what the index knows of some matches: their vectors decoded, float32 [n, size, size, channels].

        Raises UsageError if the encoder has no decoder.
        """
        return self._encoder.decode(self._opened.vectors(places))

    def _decode(self, query: Query) -> Photo | str:
        spec = self._encoder.spec
        try:
            return photo.decode(query.read(), size=spec.size, channels=spec.channels, with_metadata=False)
        except FirstseenError as error:
            return f"{getattr(error, 'reason', 'unreadable')}: {error}"

    def _neighbours(self, photos: list[Photo]) -> list[list[Neighbour]]:
        """Returns per photo its identical contents, then its nearest ones, each content with all its rows."""
        pixels = np.stack([one.pixels for one in photos])
        vectors = self._encoder.encode(pixels)
        identical = self._opened.find([one.content_sha256 for one in photos])
        usable = np.isfinite(vectors).all(axis=1)
        nearest = self._opened.search(np.where(usable[:, None], vectors, 0), self._options.top_k)
        for number in np.flatnonzero(~usable):
            nearest[number] = []
        return [[*same, *near] for same, near in zip(identical, nearest, strict=True)]

    def _answers(self, query: Query, queried: Photo, neighbours: list[Neighbour]) -> list[Answer]:
        is_known = bool(neighbours) and neighbours[0].content == queried.content_sha256
        if not is_known and queried.pixels.std(axis=(0, 1)).max() < BLANK_DEVIATION:
            return [self._row(query, "not_matchable", "blank: the photo is one flat colour; expected a scene")]
        matches = [self._match(query, queried, same) for same in _by_content(neighbours)[: self._options.top_k]]
        good = [match for match in matches if match["score"] >= self._options.min_score]
        if not good:
            return [self._row(query, "no_match", f"no photo scores {self._options.min_score} or more")]
        return [self._row(query, "matched", rank=rank, **match) for rank, match in enumerate(good, 1)]

    def _match(self, query: Query, queried: Photo, same: list[Neighbour]) -> dict[str, Any]:
        rows = [self._opened.photo(one) for one in same]
        seen = first_seen(rows)
        place, best = min(zip(same, rows, strict=True), key=lambda pair: pair[1]["uri"] != seen.uri)
        similarity = max(one.similarity for one in same)
        identical = same[0].content == queried.content_sha256
        return {
            "photo_id": best["photo_id"],
            "uri": best["uri"],
            "score": float(to_score(np.array(similarity), self._encoder.spec.distance)),
            "similarity": similarity,
            "verdict": "identical" if identical else "similar",
            "first_seen_at": seen.at,
            "first_seen_uri": seen.uri,
            "occurrences": seen.occurrences,
            "published_at": best["published_at"],
            "caption": best["caption"],
            "credit": best["credit"],
            "place": place,
        }

    def _row(self, query: Query, status: Status, reason: str | None = None, **match: Any) -> Answer:
        snapshot = self._snapshot
        return Answer(
            query=query.name,
            status=status,
            reason=reason,
            snapshot=snapshot.number,
            encoder=snapshot.encoder_id,
            **match,
        )


@dataclass(frozen=True)
class FirstSeen:
    """The earliest known date of a content, where, and at how many places it lies."""

    at: datetime | None
    uri: str
    occurrences: int


def first_seen(rows: Sequence[dict[str, Any]]) -> FirstSeen:
    """Returns the earliest date over all occurrences of one content: published, else captured.

    rows: the content's row of each segment that holds it. Without any date the first row's own uri is named.
    """
    dates: dict[str, datetime | None] = {}
    for row in rows:
        for one in row["occurrences"]:
            date = one["published_at"] or row["captured_at"]
            known = dates.get(one["uri"])
            dates[one["uri"]] = min(filter(None, (known, date)), default=None)
    dated = sorted((date, uri) for uri, date in dates.items() if date is not None)
    at, uri = dated[0] if dated else (None, rows[0]["uri"])
    return FirstSeen(at, uri, len(dates))


def _by_content(neighbours: list[Neighbour]) -> list[list[Neighbour]]:
    """Groups neighbours by content, in the order in which each content comes first; each row counts once."""
    groups: dict[bytes, dict[tuple[int, int], Neighbour]] = {}
    for one in neighbours:
        groups.setdefault(one.content, {}).setdefault((one.segment, one.row), one)
    return [list(group.values()) for group in groups.values()]
