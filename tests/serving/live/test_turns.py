"""Requests take turns, streams have a share of the places, and no more is taken than can be answered in time."""

import os
import threading
import time
from concurrent.futures import wait
from dataclasses import replace
from functools import partial

import pytest

from serving.live import pipeline, rate
from serving.live.asked import Asked
from serving.live.batches import Batches
from serving.live.errors import RETRY_SECONDS, Busy
from serving.live.live_searcher import LiveSearcher
from serving.live.places import LATE_SECONDS, Places
from serving.live.rate import Rate
from serving.live.turns import Turns
from serving.match.options import MatchOptions
from serving.match.query import Query
from tests.serving.live.conftest import SELDOM, TwoIndexes, eventually, from_bytes

CORES = os.cpu_count() or 1


class FixedRate(Rate):
    """A rate that a test chose."""

    def __init__(self, per_second: float | None):
        super().__init__()
        self.fixed = per_second

    @property
    def per_second(self) -> float | None:
        """It."""
        return self.fixed


def places(most: int, per_second: float | None = None, deadline_seconds: float = 10) -> Places:
    """Returns as many places, of which the rate allows some."""
    return Places(most, rate=FixedRate(per_second), deadline_seconds=deadline_seconds)


def test_owners_take_turns():
    """Who comes last with one item has the next turn but one, however many others have."""
    turns: Turns[str] = Turns()
    for item in "abcd":
        turns.put("many", item)
    turns.put("few", "1")
    turns.put("some", "x")
    turns.put("some", "y")
    assert "".join(turns.take() for _ in range(len(turns))) == "a1xbycd"
    with pytest.raises(IndexError):
        turns.take()


class Clock:
    """The time that turns and places go by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now = 1_000.0
        for module in ("turns", "places"):
            monkeypatch.setattr(f"serving.live.{module}.monotonic", lambda: self.now)


def test_what_waited_long_goes_before_all_turns(monkeypatch: pytest.MonkeyPatch):
    """The oldest first; where it waits for less, turns are taken."""
    clock = Clock(monkeypatch)
    turns: Turns[str] = Turns(patience_seconds=10)
    for item in "abc":
        turns.put("many", item)
    clock.now += 5
    for item in "123":
        turns.put(item, item)
    assert turns.take() == "a"
    clock.now += 5
    assert "".join(turns.take() for _ in range(len(turns))) == "bc123"


def test_places_are_kept_for_a_request_of_several_that_found_too_few(monkeypatch: pytest.MonkeyPatch):
    """Others may not take them one by one, nor those that wait for their turn, until it comes again or does not."""
    clock, counted, begun = Clock(monkeypatch), places(10), []

    def ask(number: int) -> bool:
        with counted.changing:
            try:
                counted.change(number)
            except Busy:
                return False
        counted.begin()
        return True

    assert ask(8)
    assert not ask(6)
    assert [ask(-4), ask(1), ask(5)] == [True, False, False]
    with counted.changing, pytest.raises(Busy, match="expected 10 in all, while 6 are kept for a larger request"):
        counted.change(1)
    counted.wait("stream", lambda: begun.append(1))
    assert not begun
    assert ask(6)
    assert [ask(-6), ask(1), begun] == [True, True, [1]]
    assert not ask(6)
    assert not ask(1)
    clock.now += RETRY_SECONDS + LATE_SECONDS
    assert ask(1)


@pytest.mark.parametrize("number", [2, 8, 64])
def test_a_form_is_answered_in_time_while_single_photos_come_at_twice_the_capacity(
    monkeypatch: pytest.MonkeyPatch, number: int
):
    """It comes again when it is told to, and finds places; none of its photos waits for all who come after it."""
    clock, deadline_seconds, per_second = Clock(monkeypatch), 30.0, 4
    counted = places(128, per_second=per_second, deadline_seconds=deadline_seconds)
    waiting: Turns[tuple[str, float]] = Turns(patience_seconds=pipeline.PATIENCE * deadline_seconds)
    comes_at, waits = clock.now + 60, []

    def ask(owner: str, photos: int) -> float:
        try:
            counted.change(photos)
        except Busy as busy:
            return busy.retry_after_seconds
        for _ in range(photos):
            waiting.put(owner, (owner, clock.now))
        return 0

    for step in range(200 * per_second):
        for single in ("a", "b"):
            ask(f"{single}{step}", 1)
        if clock.now >= comes_at:
            wait_seconds = ask("form", number)
            comes_at = clock.now + wait_seconds if wait_seconds else float("inf")
        owner, asked_at = waiting.take()
        counted.change(-1)
        if owner == "form":
            waits.append(clock.now - asked_at)
        clock.now += 1 / per_second
    assert len(waits) == number
    assert max(waits) < deadline_seconds


def test_the_encoder_takes_turns_and_not_more_than_can_be_proved_soon():
    """A query beside a request with many is in the next batch, which comes before most of the many are proved."""
    batches = Batches(most=100, enough_behind=3, patience_seconds=60)
    asked = [Asked(MatchOptions(), None, owner=owner, on_end=lambda: None) for owner in 10 * ["many"] + ["one"]]
    for one in asked:
        batches.put(one)
    taken = batches.take()
    assert len(taken) == 6
    assert asked[-1] in taken[:2]


@pytest.mark.parametrize("step", ["_decode", "_prove"])
def test_a_small_request_does_not_wait_for_a_large_one(step: str, two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Of many queries that wait before it for a decoder, or a thread of proof, a few are answered before it."""
    go_on, begun = threading.Event(), []
    real = getattr(pipeline.Pipeline, step)

    def held_up(self: pipeline.Pipeline, asked: Asked, *rest: object) -> None:
        begun.append(asked.owner)
        assert go_on.wait(60)
        real(self, asked, *rest)

    monkeypatch.setattr(pipeline.Pipeline, step, held_up)
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as large, live.hold() as small:
        asked = [large.submit(from_bytes(two.photos[0]), MatchOptions()) for _ in range(40)]
        asked.append(small.submit(from_bytes(two.photos[0]), MatchOptions()))
        batches = live._pipeline._batches
        eventually(lambda: step == "_decode" or len(batches._waiting) + len(batches._behind) == len(asked))
        go_on.set()
        wait(asked)
    # Before it come those that every thread has, and those that the encoder took.
    assert begun.index(small) <= 8 * CORES


def test_who_waits_in_turn_has_a_share_of_the_places():
    """The others are left to those who do not wait; a place that is given back is for whose turn it is."""
    counted, begun = places(8), []
    for owner, name in zip("aaaab", ["a1", "a2", "a3", "a4", "b1"], strict=True):
        counted.wait(owner, partial(begun.append, name))
    assert (begun, counted.taken) == (["a1", "a2"], 2)
    with counted.changing:
        counted.change(6)
    counted.leave()
    counted.leave()
    assert begun == ["a1", "a2", "a3", "b1"]
    with counted.changing:
        counted.change(-6)
    assert counted.taken == 2


def test_what_waits_begins_once_others_give_places_back():
    """Also if there was none at all, and if what begins ends at once, however many there are."""
    counted, begun = places(4), []
    with counted.changing:
        counted.change(4)

    def begin() -> None:
        begun.append(1)
        counted.leave()

    for _ in range(5_000):
        counted.wait("a", begin)
    assert not begun
    with counted.changing:
        counted.change(-1)
    counted.begin()
    assert (len(begun), counted.taken) == (5_000, 3)


def test_no_more_is_taken_than_can_be_answered_in_time():
    """With 2 queries a second and a deadline of 10 s it is 16 queries; when to come again follows from the rate."""
    counted = places(100, per_second=2)
    with counted.changing:
        counted.change(12)
        with pytest.raises(Busy, match=r"12 queries .* 10 more .* 16 in all, for 2\.0 .* 3 s.*deadline") as caught:
            counted.change(10)
        assert caught.value.retry_after_seconds == 3
        counted.change(-12)
        # Where nothing is being answered the rate may be wrong, and would never be measured again.
        counted.change(100)


def test_a_rate_is_that_of_a_busy_engine(monkeypatch: pytest.MonkeyPatch):
    """Time without queries does not count, nor do those that were given up; it is forgotten after a minute."""
    clock = [0.0]
    monkeypatch.setattr(rate, "monotonic", lambda: clock[0])
    measured = Rate()
    for number in range(200):
        clock[0] += 100 if number % 10 == 0 else 0.5
        measured.end(is_answered=number % 2 == 0, is_busy=number % 10 != 9)
    assert measured.per_second == pytest.approx(1, rel=0.2)
    clock[0] += 61
    assert measured.per_second is None


def test_a_stream_waits_for_places_and_is_answered(two: TwoIndexes):
    """Its queries are not sent away; one that is given up while it waits takes no place, and holds no snapshot."""
    go_on, read = threading.Event(), []

    def reads(name: str) -> bytes:
        read.append(name)
        assert go_on.wait(60)
        return two.photos[0]

    with LiveSearcher.open(two.store, replace(SELDOM, queue_queries=4)) as live:
        with live.hold() as held:
            asked = [held.submit_in_turn(Query(name, partial(reads, name)), MatchOptions()) for name in "abcdef"]
            with live.hold() as other, other.admit(3):
                assert live.state().queue_queries == 4
            asked[3].cancel()
            go_on.set()
            assert {one.result().status for one in asked if one is not asked[3]} == {"matched"}
        assert read == ["a", "b", "c", "e", "f"]
        eventually(lambda: live.state().queue_queries == 0)
        assert live._residents.live.users == 0


def test_work_that_would_be_thrown_away_is_not_taken(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Once some queries were answered, the engine knows how many more there are time for, and says so at once."""
    real = pipeline.Pipeline._prove
    # Some 20 queries a second, on any machine.
    slow = 0.05 * CORES
    monkeypatch.setattr(pipeline.Pipeline, "_prove", lambda *asked: time.sleep(slow) or real(*asked))
    with LiveSearcher.open(two.store, replace(SELDOM, deadline_seconds=2)) as live, live.hold() as held:
        wait([held.submit(from_bytes(two.photos[0]), MatchOptions()) for _ in range(max(24, 8 * CORES))])
        asked = []

        def fill() -> None:
            while len(asked) < SELDOM.queue_queries:
                asked.append(held.submit(from_bytes(two.photos[0]), MatchOptions()))

        with pytest.raises(Busy, match="are answered in a second") as caught:
            fill()
        assert 1 <= caught.value.retry_after_seconds <= 2
        assert len(asked) <= 40
        wait(asked)
