"""What is retracted or ignored while a store is served is gone from every answer within a minute."""

import hashlib
import threading
from pathlib import Path

import pytest

from foundation.store.retractions import RetractedPhoto, add_retraction, retraction_path
from serving.http.edge import SEND_SECONDS
from serving.live.errors import ListsTooOld
from serving.live.follower import FOLLOW_SECONDS
from serving.live.live_searcher import LiveSearcher
from serving.live.loaded import OLDEST_LISTS_SECONDS
from serving.match.options import MatchOptions
from serving.search import followed
from tests.serving.live.conftest import OFTEN, SELDOM, TwoIndexes, eventually, from_bytes


def take_down(two: TwoIndexes, number: int) -> None:
    """Retracts one of the photos."""
    digest = hashlib.sha256(two.photos[number]).hexdigest()
    photo = RetractedPhoto(archive=two.archives[0], photo_id="any", content_sha256=digest)
    add_retraction(two.store, [photo], why="a court order")


def status(live: LiveSearcher, two: TwoIndexes, number: int, snapshot: int | None = None) -> str:
    """Asks for one of the photos."""
    with live.hold(snapshot) as held:
        return held.submit(from_bytes(two.photos[number]), MatchOptions()).result().status


def test_a_takedown_under_load_is_gone(two: TwoIndexes):
    """From every answer, also of a request that holds its snapshot since before; the other photos are still found."""
    gone, found_later, stopping = threading.Event(), [], threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            is_over = gone.is_set()
            if status(live, two, 0) == "matched" and is_over:
                found_later.append(1)

    with LiveSearcher.open(two.store, OFTEN) as live, live.hold() as old:
        number = two.publish(0).number
        eventually(lambda: live.state().live == number)
        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        take_down(two, 0)
        eventually(lambda: status(live, two, 0) != "matched")
        gone.set()
        eventually(lambda: old.submit(from_bytes(two.photos[0]), MatchOptions()).result().status != "matched")
        asked = [status(live, two, 1) for _ in range(10)]
        stopping.set()
        for client in clients:
            client.join()
    assert not found_later
    assert set(asked) == {"matched"}


def test_a_reload_takes_up_what_was_retracted(two: TwoIndexes):
    """An operator who has to be sure does not wait."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        assert status(live, two, 0) == "matched"
        take_down(two, 0)
        live.reload().result()
        assert status(live, two, 0) != "matched"


def test_lists_that_were_not_read_for_long_end_the_answers(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Without a look at the store nobody knows what was retracted: within a minute nothing is answered any more."""
    assert FOLLOW_SECONDS < OLDEST_LISTS_SECONDS
    # The rest of the minute is for making an answer, and for who reads it slowly.
    assert OLDEST_LISTS_SECONDS + SEND_SECONDS <= 55
    clock = [0.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with LiveSearcher.open(two.store, SELDOM) as live:
        clock[0] += OLDEST_LISTS_SECONDS - 1
        assert status(live, two, 0) == "matched"
        clock[0] += 2
        with pytest.raises(ListsTooOld, match="36 s"):
            status(live, two, 0)
        assert not live.state().is_ready
        assert live.state().lists_age_seconds == OLDEST_LISTS_SECONDS + 1
        live.reload().result()
        assert live.state().is_ready
        assert status(live, two, 0) == "matched"


def test_a_damaged_list_is_told(two: TwoIndexes, caplog: pytest.LogCaptureFixture):
    """In the state, and in the log once; restored, it is followed again."""
    take_down(two, 0)
    path = Path(two.store.local_root or "", retraction_path(1))
    with LiveSearcher.open(two.store, SELDOM) as live:
        take_down(two, 1)
        sound = path.with_name("2.json").read_bytes()
        path.with_name("2.json").write_bytes(b"{")
        live.reload().result()
        live.reload().result()
        assert "2.json" in (live.state().problem or "")
        # Others know what was retracted: they are asked.
        assert not live.state().is_ready
        assert len([one for one in caplog.records if "2.json" in one.getMessage()]) == 1
        path.with_name("2.json").write_bytes(sound)
        live.reload().result()
        assert live.state().problem is None
        assert live.state().is_ready
        assert status(live, two, 1) != "matched"


def test_a_store_that_is_gone_keeps_no_lists_fresh(two: TwoIndexes):
    """An empty folder, where it was mounted, lists nothing that was retracted: it is no look at the lists."""
    folder = Path(two.store.local_root or "")
    with LiveSearcher.open(two.store, SELDOM) as live:
        folder.rename(folder.with_name("unmounted"))
        folder.mkdir()
        age = live.state().lists_age_seconds
        live.reload().result()
        assert not live.state().is_ready
        assert live.state().lists_age_seconds > age
        assert "see that it is mounted" in (live._follower.problem or "")
        folder.rmdir()
        folder.with_name("unmounted").rename(folder)
        live.reload().result()
        assert live.state().is_ready


def test_the_lists_are_followed_whatever_happens(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """What nobody foresaw is told, and the next look succeeds."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        with monkeypatch.context() as patch:
            patch.setattr(live._residents, "hold_all", lambda: 1 / 0)
            live.reload().result()
            assert "ZeroDivisionError" in (live.state().problem or "")
        live.reload().result()
        assert live.state().problem is None


def test_who_reloads_together_is_told_together(two: TwoIndexes):
    """The store is looked at once for all who asked before; one who gives up takes nothing from the others."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        number = two.publish(1).number
        told = [live.reload() for _ in range(50)]
        told[-1].cancel()
        assert {one.result().live for one in told[:-1]} == {number}
