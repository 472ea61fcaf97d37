"""Dates a copy by all copies that were found of the same part of the query, not only by those of the same bytes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foundation.store.occurrences import FirstSeen, merge_first_seen
from serving.match.footprint import Size, footprint, frame_of, inverse, shared_part
from serving.match.match import Match

# Two copies show the same part of the query from half of the smaller one on: beside each other in a collage they share
# next to nothing, and a crop of a photo lies inside of it.
SAME_PART = 0.5


def first_seen_by_part(matches: Sequence[Match], query: Size) -> list[Match]:
    """Returns the matches, each copy dated by the earliest copy of its part; `query` is the query's full size.

    Each copy has a group of its own: the whole collage in the archive dates both of its photos, but the one photo does
    not date the other. What is no copy keeps its date.
    """
    copies = [match for match in matches if match.is_copy]
    parts = [_part(match, query) for match in copies]
    dated = iter(
        replace(match, seen=merge_first_seen([match.seen, *_others(number, copies, parts)]))
        for number, match in enumerate(copies)
    )
    return [next(dated) if match.is_copy else match for match in matches]


def _others(number: int, copies: Sequence[Match], parts: Sequence[np.ndarray]) -> list[FirstSeen]:
    return [
        other.seen
        for index, (other, part) in enumerate(zip(copies, parts, strict=True))
        if index != number and shared_part(parts[number], part) >= SAME_PART
    ]


def _part(match: Match, query: Size) -> np.ndarray:
    """Returns the part of the query that the photo covers, float32 [n, 2]: all of it if the bytes are the same."""
    if match.evidence is None:
        return frame_of(query)
    photo = Size(match.photo["width"], match.photo["height"])
    return footprint(inverse(match.evidence.transform), photo, query)
