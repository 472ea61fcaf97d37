"""Which snapshots are in memory: the live one, and one more that requests name, or that goes."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from foundation.errors import InputNotFoundError
from foundation.store.snapshots import snapshot_path
from serving.live import loader, residents
from serving.live.errors import SnapshotNotLoaded
from serving.live.live_searcher import LiveSearcher
from serving.live.state import Reloaded
from serving.live.wanted import MOST_WANTED, Wanted
from tests.serving.live.conftest import SELDOM, TwoIndexes, damage, eventually, nearest


@pytest.fixture
def live(two: TwoIndexes) -> Iterator[LiveSearcher]:
    """The store, whose second snapshot is live, with the second index."""
    two.publish(1)
    with LiveSearcher.open(two.store, SELDOM) as live:
        yield live


@pytest.fixture
def first(live: LiveSearcher) -> int:
    """The number of the snapshot before the live one, with the first index."""
    return live.state().live - 1


def wait_for(live: LiveSearcher, number: int) -> None:
    """Asks for a snapshot by its number, as a client does, until it is loaded."""

    def is_there() -> bool:
        try:
            with live.hold(number) as held:
                return held.snapshot.number == number
        except SnapshotNotLoaded:
            return False

    eventually(is_there)


def reload_beside(live: LiveSearcher) -> Future[Reloaded]:
    """Reloads in a thread."""
    told: Future[Reloaded] = Future()
    threading.Thread(target=lambda: told.set_result(live.reload().result())).start()
    return told


def test_a_request_may_name_a_snapshot(live: LiveSearcher, two: TwoIndexes, first: int):
    """It is told to come again, and is answered by that one then; the live one answers all others."""
    with pytest.raises(SnapshotNotLoaded, match=f"snapshot {first} is not loaded") as caught, live.hold(first):
        pass
    assert caught.value.retry_after_seconds >= 1
    wait_for(live, first)
    assert live.state().loaded == (first + 1, first)
    for number, archive in ((first, two.archives[0]), (first + 1, two.archives[1]), (None, two.archives[1])):
        with live.hold(number) as held:
            answer = nearest(held, two.photos[0])
            assert answer.snapshot == held.snapshot.number
            assert answer.uri.startswith(archive)


def test_a_snapshot_that_is_not_there_is_an_error(live: LiveSearcher, first: int, monkeypatch: pytest.MonkeyPatch):
    """Of a number that was never given, or is no longer: nobody has to come again, nor learns where the store lies."""
    newest = live.state().live
    wait_for(live, first)
    monkeypatch.setattr(residents, "TURN_SECONDS", 0)
    for number in (0, newest + 1_000):
        with pytest.raises(InputNotFoundError, match=f"^no snapshot {number}; expected one of 1 to {newest}$"):
            live.hold(number).__enter__()
    # It may have been published just now: the store is looked at by a thread of its own.
    with pytest.raises(SnapshotNotLoaded), live.hold(newest + 1):
        pass
    eventually(lambda: live._loader._wanted.is_missing(newest + 1))
    # Nor has a snapshot to go for it that others use.
    assert live.state().loaded == (newest, first)
    with pytest.raises(InputNotFoundError, match=f"no snapshot {newest + 1}; "), live.hold(newest + 1):
        pass


def test_naming_a_snapshot_asks_nothing_of_the_store(
    live: LiveSearcher, two: TwoIndexes, monkeypatch: pytest.MonkeyPatch
):
    """Whoever holds one must not wait for a bucket: what is asked is asked by the loader alone."""
    threads = set()
    real = loader.snapshot_numbers

    def snapshot_numbers(store: object) -> list[int]:
        threads.add(threading.current_thread().name)
        return real(store)

    monkeypatch.setattr(loader, "snapshot_numbers", snapshot_numbers)
    wait_for(live, two.publish(0).number)
    assert threads == {"load"}


def test_who_holds_an_old_snapshot_is_told_when_a_new_one_waits_for_its_place(
    live: LiveSearcher, two: TwoIndexes, first: int
):
    """It takes the place once it is given back; until then the live one answers."""
    newest = live.state().live
    wait_for(live, first)
    with live.hold(first) as old, live.hold() as held:
        assert not old.has_to_go
        number = two.publish(0).number
        told = reload_beside(live)
        eventually(lambda: old.has_to_go)
        assert not held.has_to_go
        assert live.state().live == newest
    assert told.result(60).live == number


def test_few_numbers_are_remembered_and_the_newest_goes_before(
    live: LiveSearcher, two: TwoIndexes, first: int, monkeypatch: pytest.MonkeyPatch
):
    """Many of them would occupy the thread that opens what has to answer: it looks for that before each opening."""
    opened: list[int] = []
    real = loader.open_loaded

    def open_loaded(store: object, number: int, *arguments: object, **options: object) -> object:
        opened.append(number)
        return real(store, number, *arguments, **options)

    monkeypatch.setattr(loader, "open_loaded", open_loaded)
    newest = two.publish(0).number
    wait_for(live, first)
    assert opened == [newest, first]
    wanted = Wanted()
    for number in range(9):
        wanted.add(number)
    assert len(wanted._asked_at) == MOST_WANTED


def test_a_damaged_snapshot_is_refused_to_whoever_names_it(live: LiveSearcher, two: TwoIndexes, first: int):
    """It is opened once; what is wrong with it is said in the state."""
    damage(two, 0)
    with pytest.raises(SnapshotNotLoaded), live.hold(first):
        pass
    eventually(lambda: bool(live.state().refused))
    with pytest.raises(InputNotFoundError, match=f"snapshot {first} is refused"), live.hold(first):
        pass
    assert live.state().loaded == (first + 1,)


def test_there_are_never_more_than_two(live: LiveSearcher, two: TwoIndexes, first: int):
    """A new snapshot waits until a named one is no longer used, which nobody begins to use meanwhile."""
    wait_for(live, first)
    with live.hold(first) as held:
        newest = two.publish(0).number
        why = f"snapshot {newest} waits until no request is answered by snapshot {first} any more"
        told = reload_beside(live)

        def is_refused() -> bool:
            try:
                with live.hold(first):
                    return False
            except SnapshotNotLoaded:
                return True

        eventually(is_refused)
        assert live.state().loaded == (first + 1, first)
        assert nearest(held, two.photos[0]).verdict == "identical"
        assert not told.done()
        eventually(lambda: live.state().problem == why)
    assert told.result(timeout=60).live == newest
    assert live.state().problem is None
    wait_for(live, first)
    assert live.state().loaded == (newest, first)


def test_an_old_snapshot_stays_as_long_as_a_request_uses_it(live: LiveSearcher, two: TwoIndexes):
    """The request goes on with it while the new one answers, and it is closed when the request ends."""
    with live.hold() as held:
        newest = two.publish(0).number
        assert live.reload().result().live == newest
        assert live.state().loaded == (newest, newest - 1)
        answer = nearest(held, two.photos[0])
        assert answer.snapshot == newest - 1
        assert answer.uri.startswith(two.archives[1])
    eventually(lambda: live.state().loaded == (newest,))


def test_a_named_snapshot_may_become_live(live: LiveSearcher, two: TwoIndexes):
    """It is not opened a second time."""
    newest = two.publish(0).number
    wait_for(live, newest)
    opened = {one.number: one for one in live._residents.loaded}
    assert live.reload().result().live == newest
    assert live._residents.live is opened[newest]
    eventually(lambda: live.state().loaded == (newest,))


def test_named_snapshots_take_turns(live: LiveSearcher, two: TwoIndexes, first: int, monkeypatch: pytest.MonkeyPatch):
    """Another one takes the place once the turn is over, and its memory is free when nobody names it for a while."""
    wait_for(live, first)
    newest = two.publish(0).number
    live.reload().result()
    wait_for(live, first)
    with pytest.raises(SnapshotNotLoaded), live.hold(first + 1):
        pass
    assert live.state().loaded == (newest, first)
    monkeypatch.setattr(residents, "TURN_SECONDS", 0)
    wait_for(live, first + 1)
    assert live.state().loaded == (newest, first + 1)
    live._follower.look().result()
    monkeypatch.setattr(residents, "PINNED_SECONDS", 0)
    live.reload().result()
    eventually(lambda: live.state().loaded == (newest,))


def test_a_snapshot_that_was_removed_is_missing_and_not_refused(live: LiveSearcher, two: TwoIndexes, first: int):
    """Nothing is wrong with it for anybody to mend."""
    Path(two.store.local_root or "", snapshot_path(first)).unlink()

    def is_missing() -> bool:
        try:
            with live.hold(first):
                return False
        except SnapshotNotLoaded:
            return False
        except InputNotFoundError as error:
            return f"no snapshot {first}; expected one of" in str(error)

    eventually(is_missing)
    assert live.state().refused == {}
    assert live.state().problem is None
