"""The queries of one request: all are given up together."""

import asyncio
from concurrent.futures import Future

import pytest

from serving.http.looking_up import look_up, outcomes_of
from serving.live.errors import Closed
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from tests.serving.http.fake_engine import FakeHeld, FakeLive


class Ending(FakeHeld):
    """A snapshot of an engine that is closed after two queries, whose answers never come."""

    def submit(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Takes two."""
        if len(self.asked) == 2:
            raise Closed
        self.asked.append(Future())
        return self.asked[-1]


def test_queries_before_one_that_is_refused_are_given_up():
    """Nobody waits for them, and their places are for others."""
    held = Ending(FakeLive().held.snapshot)
    queries = [Query(str(number), lambda: b"") for number in range(3)]
    with pytest.raises(Closed):
        asyncio.run(outcomes_of(held, queries, MatchOptions()))
    assert [one.cancelled() for one in held.asked] == [True, True]


class Withdrawing(FakeHeld):
    """A snapshot whose first match is withdrawn while it is on its way, as long as others are being asked."""

    def submit(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Finds a photo, and the second time nothing any more."""
        self.asked.append(query.name)
        told: Future[Outcome] = Future()
        found = ["the photo"] if query.name == "copy" and not self.entries else []
        told.set_result(Outcome(query.name, "matched" if found else "no_match", None, found))
        return told

    def answers(self, outcome: Outcome, options: MatchOptions) -> list:
        """Something is withdrawn meanwhile."""
        self.entries = 1
        return [outcome.status]


def test_what_was_found_before_a_withdrawal_is_asked_again():
    """An answer waits for the last query of its request: the first may have been found half a minute before."""
    live = FakeLive()
    live.held = held = Withdrawing(live.held.snapshot)
    queries = [Query("copy", lambda: b""), Query("stranger", lambda: b"")]
    looked = asyncio.run(look_up(live, queries, MatchOptions()))
    assert looked.answers == [["no_match"], ["no_match"]]
    assert held.asked == ["copy", "stranger", "copy"]
