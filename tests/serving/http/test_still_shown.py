"""What is shown of a kept lookup after a retraction: nothing of what was withdrawn, its date neither."""

import numpy as np

from foundation.store.occurrences import FirstSeen, Occurrence
from serving.http.held import HeldPicture, HeldQuery
from serving.http.still_shown import still_shown
from serving.match.footprint import Size
from serving.match.match import Match, Outcome
from tests.builders import day
from tests.evidence import made_evidence, made_match


class Lists:
    """Stands for an open snapshot of which some photos are withdrawn."""

    def __init__(self, *withdrawn: str):
        self._withdrawn = withdrawn

    def left_of(self, content: bytes, occurrences: list[Occurrence]) -> list[Occurrence]:
        """Returns those that are not."""
        return [one for one in occurrences if one.photo_id not in self._withdrawn]


def copy(name: str, published: int, **changes) -> tuple[Match, Occurrence]:
    """Returns a copy that shows all of the query, dated by the first of them, and where it lies."""
    seen = FirstSeen(day(1), "file:///old.jpg", 2, day(1), "published")
    evidence = made_evidence(np.eye(3), query_size=(96, 64), photo_size=(96, 64))
    match = made_match(name, seen=seen, evidence=evidence, **changes)
    return match, Occurrence(f"{name}.jpg", f"file:///{name}.jpg", day(published))


def held(*found: tuple[Match, Occurrence]) -> HeldQuery:
    """Returns a query with these copies."""
    occurrences = {match.photo["content_sha256"]: [one] for match, one in found}
    picture = HeldPicture(b"", Size(96, 64), b"")
    return HeldQuery(Outcome("q.jpg", "matched", matches=[match for match, _ in found]), picture, occurrences)


def test_nothing_changes_while_nothing_is_withdrawn():
    """The outcome is the one that was found."""
    query = held(copy("old", 1), copy("new", 5))
    shown = still_shown(query, Lists())
    assert shown.outcome is query.outcome
    assert (list(shown.ranks), shown.withdrawn) == ([1, 2], 0)


def test_what_was_withdrawn_dates_nothing():
    """The other copy keeps its rank, and is dated by what is left."""
    shown = still_shown(held(copy("old", 1), copy("new", 5)), Lists("old.jpg"))
    assert (list(shown.ranks), shown.withdrawn, shown.outcome.status) == ([2], 1, "matched")
    (match,) = shown.outcome.matches
    assert (match.seen.at, match.seen.uri, match.seen.occurrences) == (day(5), "file:///new.jpg", 1)


def test_without_a_copy_there_is_no_match():
    """What is similar is still listed, and the reason says what happened."""
    shown = still_shown(held(copy("old", 1), copy("near", 5, verdict="similar")), Lists("old.jpg"))
    assert (shown.outcome.status, shown.outcome.reason) == (
        "no_match",
        "what was found was withdrawn from the archive since",
    )
    assert list(shown.ranks) == [2]
