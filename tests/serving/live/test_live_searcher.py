"""A store that is served: the same answers as a Searcher, whoever asks beside, and nothing left when it is closed."""

import gc
import os
import shutil
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import InputNotFoundError, TemporaryError
from foundation.store.files import Store
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.live.errors import Busy, Closed
from serving.live.live_searcher import LiveSearcher
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.searcher import Searcher
from tests.conftest import Desk
from tests.photos import jpeg, noise, scene, write_archive
from tests.serving.live.conftest import SELDOM, TwoIndexes, eventually, from_bytes


@pytest.fixture(scope="module")
def textured_desk(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Photos with corners everywhere, so that votes and pixels count beside vectors."""
    folder = tmp_path_factory.mktemp("textured")
    write_archive(folder / "archive", photos=12, picture=noise)
    shutil.copytree(encoder_store, folder / "store")
    encode(EncodeOptions(archive=str(folder / "archive"), store=str(folder / "store")))
    build_index(Store(folder / "store"))
    return Desk(folder / "store", folder / "archive")


@pytest.fixture(scope="module")
def live(textured_desk: Desk) -> Iterator[LiveSearcher]:
    """The textured photos, served; tests that share it change nothing."""
    with LiveSearcher.open(str(textured_desk.store), SELDOM) as live:
        yield live


@pytest.fixture(scope="module")
def queries(textured_desk: Desk) -> list[Query]:
    """Photos of the archive, copies, crops, mirror images, strangers, blank and damaged ones."""
    files = [path.read_bytes() for path in sorted(textured_desk.archive.rglob("*.jpg"))]
    files = [files[0], jpeg(noise(3), quality=40), jpeg(np.ascontiguousarray(noise(5)[20:, 30:]))]
    files += [jpeg(np.ascontiguousarray(noise(6)[:, ::-1])), jpeg(noise(100)), jpeg(scene(1))]
    files += [jpeg(np.full((64, 64, 3), 9, np.uint8)), b"", b"<html>", files[0][:300]]
    return [from_bytes(data, f"query {number}") for number, data in enumerate(files)]


@pytest.mark.parametrize("options", [{}, {"similar": True, "top_k": 3}, {"effort": "fast", "min_score": 0.9}])
def test_answers_are_those_of_a_searcher(live: LiveSearcher, textured_desk: Desk, queries: list[Query], options: dict):
    """Bit by bit, in a full batch and alone."""
    asked = MatchOptions(claimed_date=datetime(2020, 1, 1, tzinfo=timezone.utc), **options)
    with Searcher.open(str(textured_desk.store), options=asked) as searcher:
        expected = list(searcher.lookup(queries))
    assert {answers[0].status for answers in expected} >= {"matched", "not_matchable", "rejected"}
    with live.hold() as held, held.admit(len(queries)):
        together = [held.submit(query, asked) for query in queries]
        assert [held.answers(one.result(), asked) for one in together] == expected
        alone = [held.submit(query, asked).result() for query in queries]
        assert [held.answers(one, asked) for one in alone] == expected


def test_queries_of_a_batch_have_options_of_their_own(live: LiveSearcher, queries: list[Query]):
    """How many matches one client wants is no matter to another one whose query is in the same batch."""
    wanted = [MatchOptions(top_k=k, similar=True) for k in (1, 5, 2, 5)]
    with live.hold() as held:
        asked = [held.submit(queries[0], options) for options in wanted]
        assert [len(one.result().matches) for one in asked] == [1, 5, 2, 5]


def test_a_storage_that_does_not_answer_is_no_answer(live: LiveSearcher, queries: list[Query]):
    """The error of its one query says so; the others are answered."""

    def unreachable() -> bytes:
        raise TemporaryError("the bucket does not answer; run again later")

    with live.hold() as held:
        lost, sound = (held.submit(one, MatchOptions()) for one in (Query("lost", unreachable), queries[0]))
        with pytest.raises(TemporaryError, match="does not answer"):
            lost.result()
        assert sound.result().status == "matched"


def test_places_are_taken_at_once_or_not_at_all(two: TwoIndexes):
    """Who asks for more than are left is told to come again, and takes none; afterwards all are free."""
    with LiveSearcher.open(two.store, replace(SELDOM, queue_queries=4)) as live, live.hold() as held:
        with held.admit(3), live.hold() as other:
            asked = [held.submit(from_bytes(data), MatchOptions()) for data in two.photos[:3]]
            with other.admit(1):
                assert live.state().queue_queries == 4
                with pytest.raises(Busy), live.hold() as third:
                    third.submit(from_bytes(two.photos[0]), MatchOptions())
            with pytest.raises(Busy, match=r"3 queries .* 2 more .* 4") as caught, other.admit(2):
                pass
            assert caught.value.retry_after_seconds > 0
            wait(asked)
        assert live.state().queue_queries == 0


def test_a_request_whose_client_is_gone_keeps_its_places_until_its_queries_are_done(two: TwoIndexes):
    """They are in the hands of the engine, and so are snapshot and memory; what was not begun is not begun any more."""
    reading, go_on = threading.Event(), threading.Event()

    def read() -> bytes:
        reading.set()
        assert go_on.wait(60)
        return two.photos[0]

    with LiveSearcher.open(two.store, SELDOM) as live:
        with live.hold() as held, held.admit(1):
            asked = held.submit(Query("slow", read), MatchOptions())
            assert reading.wait(60)
            assert asked.cancel()
        newest = two.publish(1).number
        assert live.reload().result(timeout=60).live == newest
        assert (live.state().queue_queries, live.state().loaded) == (1, (newest, newest - 1))
        go_on.set()
        eventually(lambda: not live.state().queue_queries)
        eventually(lambda: live.state().loaded == (newest,))


def test_a_draining_engine_is_not_ready_and_answers(two: TwoIndexes):
    """Whoever sends requests learns to send them elsewhere; those that come yet are answered."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        assert live.state().is_ready
        live.drain()
        assert not live.state().is_ready
        with live.hold() as held:
            assert held.submit(from_bytes(two.photos[0]), MatchOptions()).result().status == "matched"


def test_closing_tells_whoever_waits(two: TwoIndexes):
    """Queries that are not answered by then raise Closed, and so does what is asked afterwards."""
    started, go_on = threading.Event(), threading.Event()

    def read() -> bytes:
        started.set()
        assert go_on.wait(60)
        return two.photos[0]

    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as held:
        slow = [held.submit(Query("slow", read), MatchOptions()) for _ in range(2 * (os.cpu_count() or 1))]
        assert started.wait(60)
        closing = threading.Thread(target=live.close)
        closing.start()
        go_on.set()
        closing.join()
        assert {type(one.exception()) for one in slow} == {Closed}
        with pytest.raises(Closed):
            held.submit(from_bytes(two.photos[0]), MatchOptions()).result(timeout=60)
    with pytest.raises(Closed), live.hold():
        pass
    with pytest.raises(Closed):
        live.reload()


def open_files() -> list[str]:
    """Returns what this process has open."""
    folder = Path("/proc/self/fd")
    return sorted(os.readlink(path) for path in folder.iterdir() if path.is_symlink() and path.exists())


def children() -> list[str]:
    """Returns the processes that this one started."""
    return [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]


def test_nothing_is_left_after_close(two: TwoIndexes):
    """Threads, decoder processes, files and snapshots are gone, with nobody collecting garbage."""
    threads, processes = threading.active_count(), children()
    gc.collect()
    gc.disable()
    try:
        with LiveSearcher.open(two.store, SELDOM) as live:
            with live.hold() as held:
                held.submit(from_bytes(two.photos[0]), MatchOptions()).result()
                opened = [weakref.ref(held.opened)]
            two.publish(1)
            live.reload().result()
            del held
            eventually(lambda: opened[0]() is None)
            with live.hold() as held:
                opened.append(weakref.ref(held.opened))
            del held
        del live
        assert opened[1]() is None
    finally:
        gc.enable()
    assert threading.active_count() == threads
    assert not [name for name in open_files() if str(two.store.local_root) in name]
    assert not [one for one in children() if one not in processes]


def test_a_store_without_snapshot_is_refused(store: Path):
    """As by a Searcher, and nothing is left running."""
    threads = threading.active_count()
    with pytest.raises(InputNotFoundError, match="firstseen index"):
        LiveSearcher.open(str(store))
    assert threading.active_count() == threads
