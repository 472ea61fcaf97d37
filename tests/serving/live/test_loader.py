"""What a store brings while it is served: sound snapshots answer, broken ones are refused, and the old one goes on."""

import errno
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import AccessDeniedError, TemporaryError
from foundation.store.snapshots import snapshot_path
from serving.live import loader, pause
from serving.live.live_searcher import LiveSearcher
from serving.live.observer import Unobserved
from serving.live.refused import reason_of
from tests.serving.live.conftest import OFTEN, SELDOM, TwoIndexes, damage, eventually, nearest


class Swaps(Unobserved):
    """Keeps what became of new snapshots."""

    def __init__(self):
        self.results: list[str] = []

    def swap(self, result):
        """Keeps the result."""
        self.results.append(result)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the snapshots that are opened beside the live one."""
    numbers: list[int] = []
    real = loader.open_loaded

    def open_loaded(store, number, *arguments, **options):
        numbers.append(number)
        return real(store, number, *arguments, **options)

    monkeypatch.setattr(loader, "open_loaded", open_loaded)
    return numbers


@pytest.fixture
def often(two: TwoIndexes) -> Iterator[tuple[LiveSearcher, Swaps]]:
    """The store, looked at twenty times a second, and what became of its snapshots."""
    swaps = Swaps()
    with LiveSearcher.open(two.store, OFTEN, observe=swaps) as live:
        yield live, swaps


def answers(live: LiveSearcher, two: TwoIndexes) -> str:
    """Returns the archive that the live snapshot finds a photo in."""
    with live.hold() as held:
        uri = nearest(held, two.photos[0]).uri or ""
        return next(archive for archive in two.archives if uri.startswith(archive))


def test_what_is_published_answers_by_itself(often: tuple[LiveSearcher, Swaps], two: TwoIndexes):
    """The store is polled."""
    live, swaps = often
    number = two.publish(1).number
    eventually(lambda: live.state().live == number)
    assert answers(live, two) == two.archives[1]
    assert swaps.results == ["swapped"]


def test_a_broken_snapshot_is_refused_once(
    often: tuple[LiveSearcher, Swaps], two: TwoIndexes, opened: list[int], caplog: pytest.LogCaptureFixture
):
    """The old one answers, the reason stands in the state and once in the log, and nobody tries again and again."""
    live, swaps = often
    before = live.state()
    path, sound = damage(two, 1)
    broken = two.publish(1).number
    eventually(lambda: bool(live.state().refused))
    looked_at = live.state().looked_at
    eventually(lambda: live.state().looked_at > looked_at)
    state = live.state()
    assert (state.live, state.loaded, state.is_ready, state.problem) == (before.live, before.loaded, True, None)
    assert "is damaged" in state.refused[broken]
    assert answers(live, two) == two.archives[0]
    assert (opened, swaps.results) == ([broken], ["refused"])
    told = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [f"snapshot {broken} is refused" in one.getMessage() for one in told] == [True]
    # An operator restores the file: it is tried again, for it changed.
    path.write_bytes(sound)
    eventually(lambda: live.state().live == broken)
    assert live.state().refused == {}
    assert answers(live, two) == two.archives[1]


def test_a_reload_tries_refused_snapshots_again(two: TwoIndexes, opened: list[int]):
    """It says what became of them, and a later sound one makes them forgotten."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        damage(two, 1)
        broken = two.publish(1).number
        for _ in range(2):
            told = live.reload().result()
            assert (told.before, told.live) == (broken - 1, broken - 1)
            assert "is damaged" in told.refused[broken]
        assert opened == [broken, broken]
        assert live.state().refused == told.refused
        two.publish(0)
        assert live.reload().result().refused == {}


def test_a_snapshot_that_cannot_be_read_as_one_is_refused(two: TwoIndexes):
    """Whatever somebody wrote there."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        number = live.state().live + 1
        two.store.create(snapshot_path(number), b"{")
        assert snapshot_path(number) in live.reload().result().refused[number]
        assert answers(live, two) == two.archives[0]


def test_a_store_that_does_not_answer_is_asked_again(
    often: tuple[LiveSearcher, Swaps],
    two: TwoIndexes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """The state says why it is old, the log says so once, and the service goes on."""
    live, swaps = often
    problem = "the bucket does not answer; run again later"

    def unreachable(_: object) -> list[int]:
        raise TemporaryError(problem)

    with monkeypatch.context() as patch:
        patch.setattr(loader, "snapshot_numbers", unreachable)
        number = two.publish(1).number
        eventually(lambda: swaps.results[:2] == ["failed", "failed"])
        state = live.state()
        assert (state.live, state.problem, state.refused) == (
            number - 1,
            "the bucket does not answer; run again later",
            {},
        )
        assert answers(live, two) == two.archives[0]
    eventually(lambda: live.state().live == number)
    eventually(lambda: live.state().problem is None)
    assert len([one for one in caplog.records if problem in one.getMessage()]) == 1


def test_a_store_that_lost_its_snapshots_is_no_reason_to_stop(two: TwoIndexes):
    """What is loaded answers, and the reload says what is wrong."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        for path in Path(two.store.local_root, "snapshots").iterdir():
            path.unlink()
        assert "no snapshot any more" in (live.reload().result().problem or "")
        assert answers(live, two) == two.archives[0]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), AccessDeniedError("no right"), MemoryError()]
)
def test_what_may_pass_is_no_reason_to_refuse(
    error: Exception, two: TwoIndexes, opened: list[int], monkeypatch: pytest.MonkeyPatch
):
    """A sound snapshot is tried again, later each time, and at once on a reload."""

    def fail(*_: object, **__: object) -> None:
        opened.append(0)
        raise error

    with LiveSearcher.open(two.store, SELDOM) as live:
        with monkeypatch.context() as patch:
            patch.setattr(loader, "open_loaded", fail)
            number = two.publish(1).number
            assert live.reload().result().refused == {}
            assert reason_of(error) in (live.state().problem or "")
            # A look that comes too early does not open it, and the problem is still there.
            live._loader._looked_at -= 3_600
            live._loader._waking.set()
            eventually(lambda: live._loader._looked_at > time.monotonic() - 60)
            assert reason_of(error) in (live.state().problem or "")
            assert opened == [0]
        told = live.reload().result()
        assert (told.live, told.problem) == (number, None)


def test_a_pause_grows_up_to_some_minutes(monkeypatch: pytest.MonkeyPatch):
    """After a success it begins anew."""
    clock = [0.0]
    monkeypatch.setattr(pause, "monotonic", lambda: clock[0])
    waiting = pause.Pause(15)
    for seconds in (15, 30, 60, 120, 240, 300, 300):
        waiting.begin()
        clock[0] += seconds - 1
        assert waiting.is_on
        clock[0] += 1
        assert not waiting.is_on
    waiting.end()
    waiting.begin()
    clock[0] += 15
    assert not waiting.is_on


def always_the_first_row(_: object, vectors: np.ndarray, k: int, **__: object) -> tuple[np.ndarray, np.ndarray]:
    """Returns what an index finds that was built of other vectors."""
    return np.zeros((len(vectors), 1), np.int64), np.zeros((len(vectors), 1), np.float32)


def test_a_wrong_index_is_refused_by_its_canaries(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Every digest is right, and yet it does not find its own photos."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        with monkeypatch.context() as patch:
            patch.setattr("serving.search.segment.OpenSegment.search", always_the_first_row)
            broken = two.publish(1).number
            assert (
                "of 8 photos drawn from the snapshot are found by their own vectors"
                in live.reload().result().refused[broken]
            )
        assert live.reload().result().live == broken
