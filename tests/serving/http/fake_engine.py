"""A searcher that answers at once, without a store: for tests of what stands between it and HTTP."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone

from foundation.errors import InputNotFoundError
from foundation.photos.rejects import PhotoError
from foundation.store.snapshots import Snapshot
from serving.answers import Answer
from serving.live.state import LiveState
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from tests.builders import snapshot


@dataclass
class FakeHeld:
    """One snapshot: a query that begins with the mark of a JPEG is not in its archive, any other is rejected."""

    snapshot: Snapshot
    asked: list = field(default_factory=list)
    entries: int = 0
    # No other snapshot waits for its place.
    has_to_go = False

    @contextmanager
    def admit(self, queries: int) -> Iterator[None]:
        """There is always room."""
        yield

    def lists_entries(self) -> int:
        """Returns what a test says."""
        return self.entries

    def submit(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Answers at once."""
        self.asked.append((query, options))
        future: Future[Outcome] = Future()
        try:
            data = query.read() if hasattr(query, "read") else b"\xff\xd8"
            is_photo = data.startswith(b"\xff\xd8")
            status, reason = ("no_match", "not in this archive") if is_photo else ("rejected", "not_a_photo: no")
        except PhotoError as error:
            status, reason = "rejected", f"{error.reason}: {error}"
        future.set_result(Outcome(query.name, status, reason))
        return future

    def submit_in_turn(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Answers at once: there is always a place."""
        return self.submit(query, options)

    def answers(self, outcome: Outcome, options: MatchOptions) -> list[Answer]:
        """Returns the row of a query without a match."""
        return [
            Answer(
                query=outcome.query,
                status=outcome.status,
                reason=outcome.reason,
                snapshot=self.snapshot.number,
                encoder=self.snapshot.encoder_id,
            )
        ]


class FakeLive:
    """A searcher with one snapshot, number 7."""

    def __init__(self) -> None:
        self.held = FakeHeld(snapshot(7, encoder_id="photo-v1"))
        self.is_ready = True
        self.reloads = 0

    @contextmanager
    def hold(self, number: int | None = None) -> Iterator[FakeHeld]:
        """Yields its snapshot; there is no other."""
        if number not in (None, 7):
            raise InputNotFoundError(f"no snapshot {number}; expected 7")
        yield self.held

    def state(self) -> LiveState:
        """Says whether it is ready."""
        return LiveState(
            is_ready=self.is_ready,
            live=7,
            loaded=(7,),
            refused={8: "damaged"},
            looked_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            problem=None,
            queue_queries=0,
            lists_age_seconds=1.0,
        )

    def drain(self) -> None:
        """Is not ready from now on."""
        self.is_ready = False
