"""Queries that cannot be answered in time, or at all, cost themselves alone."""

import errno
import os
import signal
import threading
from dataclasses import replace

import pytest

from foundation.errors import TemporaryError
from foundation.photos.decoder_processes import DecoderProcesses
from serving.live import pipeline
from serving.live.errors import DeadlineExceeded
from serving.live.live_searcher import LiveSearcher
from serving.live.observer import Unobserved
from serving.match.decoded_query import decode_query
from serving.match.options import MatchOptions
from serving.match.query import Query
from tests.serving.live.conftest import SELDOM, TwoIndexes, eventually, from_bytes


class Observed(Unobserved):
    """Keeps what it is told."""

    def __init__(self):
        self.stages: list[str] = []
        self.batches: list[int] = []
        self.outcomes: list[tuple[str, str]] = []

    def stage(self, name, seconds):
        """Keeps the name of a stage that took some time."""
        assert 0 <= seconds < 60
        self.stages.append(name)

    def batch(self, size):
        """Keeps the size."""
        self.batches.append(size)

    def outcome(self, outcome):
        """Keeps its status, and the word of its reason."""
        self.outcomes.append((outcome.status, (outcome.reason or "").partition(":")[0]))


def test_an_observer_is_told_what_happens(two: TwoIndexes):
    """Each stage of a query, the batches, and what became of it; reasons are words, since they become names."""
    told = Observed()
    with LiveSearcher.open(two.store, SELDOM, observe=told) as live, live.hold() as held:
        for data in (two.photos[0], b"<html>" * 9):
            held.submit(from_bytes(data), MatchOptions()).result()
    assert told.stages == ["decode", "encode", "search", "verify", "queue", "decode", "queue"]
    assert told.batches == [1]
    assert told.outcomes == [("matched", ""), ("rejected", "not_a_photo")]


def test_what_waits_is_encoded_together(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """While the threads of proof have enough to do, the next queries are collected; no batch is above its size."""
    go_on = threading.Event()
    prove = pipeline.Pipeline._prove
    monkeypatch.setattr(pipeline.Pipeline, "_prove", lambda *asked: go_on.wait(60) and prove(*asked))
    told = Observed()
    with LiveSearcher.open(two.store, replace(SELDOM, batch_size=5), observe=told) as live, live.hold() as held:
        asked = [held.submit(from_bytes(data), MatchOptions()) for data in 3 * two.photos]
        eventually(lambda: told.stages.count("decode") == len(asked))
        go_on.set()
        assert {one.result().status for one in asked} == {"matched"}
    assert sum(told.batches) == len(asked)
    assert max(told.batches) == 5
    # Before the threads were held up, each was taken as it came.
    assert told.batches.count(5) >= 4


def test_a_query_that_waited_too_long_is_given_up(two: TwoIndexes):
    """It raises DeadlineExceeded, and is not begun any more: the deadline of those behind it comes as well."""
    read: list[str] = []
    slow = threading.Event()

    def reads(name: str) -> bytes:
        read.append(name)
        slow.wait(0.3 if name == "slow" else 0)
        return two.photos[0]

    with LiveSearcher.open(two.store, replace(SELDOM, deadline_seconds=0.2)) as live, live.hold() as held:
        names = ["slow"] * (os.cpu_count() or 1) + ["late"]
        asked = [held.submit(Query(name, lambda name=name: reads(name)), MatchOptions()) for name in names]
        for one in asked:
            with pytest.raises(DeadlineExceeded, match=r"0\.2 s"):
                one.result()
        assert "late" not in read
        assert live.state().queue_queries == 0


def die(query: Query, **_: object) -> None:
    """Ends the process that decodes, as a decoder does that writes where it must not."""
    if query.name == "hostile":
        os.kill(os.getpid(), signal.SIGSEGV)
    return decode_query(query, **_)


def test_a_photo_that_kills_its_decoder_costs_one_query(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """It is rejected with the reason; whoever asks beside it and after it is answered."""
    monkeypatch.setattr("serving.live.loaded.decode_query", die)
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as held:
        names = ["a", "hostile", "b", "hostile", "c"]
        asked = [held.submit(from_bytes(two.photos[0], name), MatchOptions()) for name in names]
        outcomes = [one.result() for one in asked]
    assert [one.status for one in outcomes] == ["matched", "rejected", "matched", "rejected", "matched"]
    assert (outcomes[1].reason or "").startswith("decoder_crashed: the decoder ended by SIGSEGV")


def test_decoders_that_were_killed_while_they_waited_are_replaced(two: TwoIndexes):
    """Nobody notices."""
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as held:
        decoders: DecoderProcesses = live._pipeline._decoders
        for child in decoders._children:
            os.kill(child._process.pid, signal.SIGKILL)
        outcomes = [held.submit(from_bytes(data), MatchOptions()).result() for data in two.photos[:4]]
    assert {one.status for one in outcomes} == {"matched"}


def test_a_failure_of_the_engine_costs_its_batch(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Whatever is raised is told to those that wait, and the next batch is answered."""
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as held:
        encode = live._residents.live.steps.encode
        monkeypatch.setattr(live._residents.live.steps, "encode", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            held.submit(from_bytes(two.photos[0]), MatchOptions()).result()
        monkeypatch.setattr(live._residents.live.steps, "encode", encode)
        assert held.submit(from_bytes(two.photos[0]), MatchOptions()).result().status == "matched"
        assert live.state().is_ready


def test_a_store_that_cannot_be_read_while_proving_is_temporary(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Nothing is wrong with the query, and the paths of the store are nobody's business."""
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as held:

        def prove(*_: object) -> None:
            raise OSError(errno.ESTALE, "Stale file handle", "/store/secret")

        monkeypatch.setattr(live._residents.live.steps, "prove", prove)
        with pytest.raises(TemporaryError, match="Stale file handle; ask again") as caught:
            held.submit(from_bytes(two.photos[0]), MatchOptions()).result()
    assert "secret" not in str(caught.value)
