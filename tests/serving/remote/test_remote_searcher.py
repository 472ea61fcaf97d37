"""A server's searcher: what it sends, in what order answers come, and that they are those of a store's."""

import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import firstseen
from foundation.errors import InputNotFoundError, TemporaryError, UsageError
from serving.answers import SCHEMA
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.remote import remote_searcher
from serving.remote.options import RemoteOptions
from serving.remote.remote_searcher import open_server
from serving.searcher import Searcher
from tests.conftest import Desk
from tests.serving.remote.rounding import rounded
from tests.serving.remote.stub import SNAPSHOT, Asked, Stub, looked, problem


@pytest.fixture(scope="module")
def local(live_desk: Desk) -> Iterator[Searcher]:
    """The store, opened here."""
    with Searcher.open(str(live_desk.store)) as searcher:
        yield searcher


@pytest.fixture
def serving(stub: Stub, local: Searcher) -> Stub:
    """A stub that answers what the local store does."""

    def answer(asked: Asked) -> dict[str, Any]:
        queries = [Query(name, lambda data=data: data) for name, data in asked[0]]
        results = [(query.name, found) for query, found in zip(queries, local.lookup(queries), strict=True)]
        return {**looked(results), "snapshot": live.number, "encoder": live.encoder_id}

    live = local.snapshot
    stub.snapshot = {**SNAPSHOT, "number": live.number, "encoder": live.encoder_id}
    stub.answer = answer
    return stub


def test_answers_are_those_of_the_store(serving: Stub, local: Searcher, live_desk: Desk, tmp_path: Path):
    """Field by field: dates, nulls, transforms, reasons of photos that no server could read, and the names as given."""
    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty.jpg"
    broken.write_bytes(b"<html>")
    empty.touch()
    names = [
        *map(str, sorted(live_desk.archive.rglob("*.jpg"))[:4]),
        str(broken),
        str(empty),
        "missing.jpg",
        "http://x",
    ]
    with firstseen.Searcher.open(serving.address, options=MatchOptions(batch_size=3)) as searcher:
        assert isinstance(searcher, firstseen.Searcher)
        remote = list(searcher.lookup(names))
    assert remote == [list(map(rounded, rows)) for rows in local.lookup(names)]
    assert remote[0][0].first_seen_at.tzinfo is not None
    assert {rows[0].status for rows in remote} == {"matched", "rejected"}


def test_the_form_says_every_option(stub: Stub):
    """So that a default that differs between versions changes nothing; the snapshot is named in both requests."""
    claimed = datetime(2024, 5, 1, tzinfo=timezone(timedelta(hours=14)))
    options = MatchOptions(top_k=3, min_score=0.25, similar=True, effort="fast", claimed_date=claimed)
    with open_server(stub.address, snapshot=5, options=options) as searcher:
        list(searcher.lookup([Query("photo", lambda: b"bytes")]))
        assert (searcher.snapshot.number, searcher.snapshot.encoder_id) == (5, "photo-v1")
    assert stub.asked[0][1] == {
        "top_k": "3",
        "min_score": "0.25",
        "similar": "true",
        "effort": "fast",
        "claimed_date": "2024-05-01T00:00:00+14:00",
        "snapshot": "5",
    }
    assert stub.paths[0] == "/v1/snapshot?snapshot=5"


def test_many_photos_go_in_batches_and_come_in_order(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    """At most so many photos and bytes a request, several at a time; names of files never leave the machine."""
    monkeypatch.setattr(remote_searcher, "BATCH_BYTES", 100)
    sizes = [10] * 9 + [60, 60, 150, 1, 1]
    photos = [number.to_bytes(2, "big") * (size // 2) + b"x" * (size % 2) for number, size in enumerate(sizes)]
    queries = [Query(f"/secret/{number}", lambda data=data: data) for number, data in enumerate(photos)]
    both = threading.Barrier(2, timeout=20)
    plain = stub.answer
    stub.answer = lambda asked: (len(asked[0]) == 4 and both.wait(), plain(asked))[1]
    with open_server(stub.address, options=MatchOptions(batch_size=4)) as searcher:
        answers = list(searcher.lookup(queries))
    assert [(rows[0].query, rows[0].reason) for rows in answers] == [
        (query.name, sha256(data).hexdigest()) for query, data in zip(queries, photos, strict=True)
    ]
    assert sorted(len(asked) for asked, _ in stub.asked) == [1, 1, 2, 2, 4, 4]
    assert 2 <= stub.most_running <= remote_searcher.BATCHES_IN_FLIGHT
    assert {name for asked, _ in stub.asked for name, _ in asked} == {"0", "1", "2", "3"}


def test_a_batch_that_is_too_large_is_sent_in_halves(stub: Stub):
    """Down to single photos: one that is too large alone is an answer, and the others have theirs."""
    stub.most_photos = 2
    queries = [Query(str(number), lambda: b"x") for number in range(7)]
    with open_server(stub.address) as searcher:
        assert [rows[0].status for rows in searcher.lookup(queries)] == ["no_match"] * 7
        assert [len(asked) for asked, _ in stub.asked] == [7, 3, 1, 2, 4, 2, 2]
        stub.asked.clear()
        # It is remembered.
        assert [rows[0].status for rows in searcher.lookup(queries)] == ["no_match"] * 7
        assert sorted(len(asked) for asked, _ in stub.asked) == [1] * 7
        stub.most_photos = 0
        (rows,) = searcher.lookup(queries[:1])
    assert rows[0].status == "rejected"
    assert rows[0].reason.startswith("too_large: ")
    assert (rows[0].query, rows[0].snapshot, rows[0].encoder) == ("0", 7, "photo-v1")


def test_queries_are_read_as_they_are_needed(stub: Stub):
    """A list without an end is answered from its beginning, and a reader that stops has read little ahead."""
    read = []

    def endless() -> Iterator[Query]:
        number = 0
        while True:
            yield Query(str(number), lambda number=number: read.append(number) or b"x")
            number += 1

    with open_server(stub.address, options=MatchOptions(batch_size=2)) as searcher:
        answers = searcher.lookup(endless())
        for _ in range(5):
            next(answers)
        answers.close()
    assert len(read) <= 5 + 2 * (remote_searcher.BATCHES_IN_FLIGHT + 1) + remote_searcher.READ_AHEAD


def test_what_a_store_does_not_give_now_ends_the_lookup(stub: Stub):
    """As in a lookup here: the photo may well be there, and its answer would be wrong tomorrow."""

    def read() -> bytes:
        raise TemporaryError("the bucket does not answer")

    with open_server(stub.address) as searcher, pytest.raises(TemporaryError, match="bucket"):
        list(searcher.lookup([Query("photo", read)]))


def test_a_closed_searcher_and_a_single_query_are_refused(stub: Stub):
    """With the words of a store's searcher."""
    with open_server(stub.address) as searcher, pytest.raises(UsageError, match=r"queries is one query, .photo"):
        searcher.lookup("photo.jpg")
    with pytest.raises(UsageError, match="this searcher is closed"):
        searcher.lookup(["photo.jpg"])


def test_a_snapshot_that_the_server_does_not_have(stub: Stub):
    """Is told when the searcher is opened."""
    stub.next.append(problem(404, "snapshot 3 is not in this store"))
    with pytest.raises(InputNotFoundError, match=r"does not have it: snapshot 3 is not in this store"):
        open_server(stub.address, snapshot=3)


def test_a_key_for_a_store_is_refused(live_desk: Desk):
    """It would do nothing there."""
    with pytest.raises(UsageError, match="key is given for a store"):
        firstseen.Searcher.open(str(live_desk.store), key="secret")


def test_tables_have_the_schema_of_the_contract(serving: Stub, local: Searcher, live_desk: Desk):
    """Arrow of both kinds is equal to the sixth decimal; pandas keeps ranks whole beside a query without a match."""
    names = [str(sorted(live_desk.archive.rglob("*.jpg"))[2]), "missing.jpg"]
    here = local.lookup_arrow(names)
    with open_server(serving.address) as searcher:
        there, frame = searcher.lookup_arrow(names), searcher.lookup_pandas(names)
        assert searcher.lookup_arrow([]).schema.equals(SCHEMA)
    assert here.schema.equals(SCHEMA, check_metadata=True)
    assert there.schema.equals(SCHEMA, check_metadata=True)
    assert there["photo_id"].equals(here["photo_id"])
    assert there["first_seen_at"].equals(here["first_seen_at"])
    assert there["transform"].type == here["transform"].type
    assert list(frame.columns) == SCHEMA.names
    assert str(frame["rank"].dtype) == "Int32"
    assert str(frame["first_seen_at"].dtype) == "datetime64[us, UTC]"
    assert frame["rank"].isna().sum() == 1


def test_pandas_that_is_missing_is_told_before_anything_is_asked(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    """A lookup of thousands must not fail at its end."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with open_server(stub.address) as searcher, pytest.raises(UsageError, match=r"pip install 'firstseen\[pandas\]'"):
        searcher.lookup_pandas(["photo.jpg"])
    assert stub.asked == []


def test_asking_a_server_imports_nothing_that_searches(run_python):
    """Neither what encodes nor what searches nor what serves: a client starts in a third of a second."""
    code = """
import sys
from serving.remote.remote_searcher import open_server
heavy = {"tensorflow", "scann", "fastapi", "granian", "apache_beam", "pandas", "ai_edge_litert"}
print(*sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    assert run_python(code).split() == []


def test_options_out_of_range_are_refused():
    """With the name and the range."""
    with pytest.raises(UsageError, match=r"read_seconds is 0; expected 0.1 to 600"):
        RemoteOptions(read_seconds=0)
