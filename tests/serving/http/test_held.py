"""Lookups that are kept: under ids that nobody guesses, for a while, and no more than memory allows."""

import re

import numpy as np
import pytest

from serving.http.held import HeldLookup, HeldLookups, HeldPicture, HeldQuery
from serving.match.footprint import Size
from serving.match.match import Outcome
from tests.builders import snapshot
from tests.evidence import made_evidence, made_match


class Clock:
    """Tells the seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Returns them."""
        return self.now


def lookup(size_bytes: int = 10, *matches) -> HeldLookup:
    """Returns a lookup of one query, with a picture of so many bytes."""
    picture = HeldPicture(bytes(size_bytes), Size(4, 3), b"x" * 32)
    return HeldLookup(snapshot(3), [HeldQuery(Outcome("a.jpg", "matched", matches=matches), picture, {})])


def test_ids_are_long_and_never_the_same():
    """Whoever has one may see the lookup: 128 bits, in letters that an address takes."""
    held = HeldLookups()
    ids = {held.add(lookup()) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[\w-]{22}", one) for one in ids)
    assert held.get(ids.pop()) is not None
    assert held.get("") is None


def test_a_lookup_is_kept_for_its_time():
    """To the second, however often it is asked for, and its memory is free then."""
    clock = Clock()
    held = HeldLookups(keep_seconds=60, clock=clock)
    first = held.add(lookup())
    clock.now = 59.9
    second = held.add(lookup())
    assert held.get(first) is not None
    clock.now = 60
    assert held.get(first) is None
    assert held.get(second) is not None
    clock.now = 200
    held.forget()
    assert held._bytes == 0


def test_the_oldest_makes_room():
    """One that is larger than all the memory is kept alone: somebody waits for it."""
    held = HeldLookups(keep_bytes=1_000_000)
    ids = [held.add(lookup(400_000)) for _ in range(3)]
    assert [held.get(one) is not None for one in ids] == [False, True, True]
    large = held.add(lookup(2_000_000))
    assert held.get(ids[2]) is None
    assert held.get(large) is not None


@pytest.mark.parametrize("thumbnail", [None, b"x" * 5_000])
def test_what_is_kept_of_matches_counts(thumbnail: bytes | None):
    """Thumbnails, and maps of differences of 256 by 256 numbers."""
    evidence = made_evidence(np.eye(3), difference=np.zeros((256, 256), np.float32))
    (plain,), (full,) = lookup().queries, lookup(10, made_match(evidence=evidence, thumbnail=thumbnail)).queries
    assert full.bytes - plain.bytes >= 4 * 256 * 256 + len(thumbnail or b"")
