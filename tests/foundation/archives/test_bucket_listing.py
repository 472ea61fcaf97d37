"""The listing of a bucket: many ranges at once, in the order of the names, within a bounded look-ahead, or an error."""

import bisect
import hashlib
import itertools
import re
import threading
import time
from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.exceptions import GenericError

from foundation.archives import buckets
from foundation.errors import InputNotFoundError, TemporaryError

NOW = datetime.now(timezone.utc)
KINDS = {
    "numbers": [f"p/IMG_{number:07d}.jpg" for number in range(40_000)],
    "hashes": [f"p/{hashlib.md5(b'%d' % number, usedforsecurity=False).hexdigest()}.jpg" for number in range(40_000)],
    "days": [f"p/20{number % 20:02d}/{number % 12:02d}/{number % 30:02d}/a-{number}.jpg" for number in range(40_000)],
    "folders": [f"p/{number:07d}/original.jpg" for number in range(40_000)],
}


def _object(name: str) -> dict:
    """As obstore names an object: the marker of a folder, `NAME/`, without its slash."""
    size = 0 if name.endswith("/") else 1
    return {"path": name.rstrip("/"), "size": size, "last_modified": NOW, "e_tag": "x", "version": None}


class Lister:
    """A bucket that answers with a thousand names after a while, and counts what is asked of it."""

    def __init__(self, names: list[str], *, latency: float = 0.0):
        self.names, self.latency = sorted(names), latency
        self.waiting = self.at_once = self.given = 0
        self.lock = threading.Lock()

    def list(self, _store, prefix=None, *, offset=None, chunk_size):
        """As `obstore.list` does: names below a prefix, behind another one."""
        start = bisect.bisect_right(self.names, offset or "")
        for first in itertools.count(start, chunk_size):
            with self.lock:
                self.waiting += 1
                self.at_once = max(self.at_once, self.waiting)
            time.sleep(self.latency)
            page = [name for name in self.names[first : first + chunk_size] if name.startswith(prefix or "")]
            with self.lock:
                self.waiting -= 1
                self.given += len(page)
            yield [_object(name) for name in page]
            if len(page) < chunk_size:
                return


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch):
    """A function that puts a lister in the place of the network."""

    def put(lister: Lister) -> Lister:
        monkeypatch.setattr(buckets.obstore, "list", lister.list)
        monkeypatch.setattr(buckets, "_opened", lambda bucket: None)
        monkeypatch.setattr(buckets, "_head", lambda bucket, key: None)
        return lister

    return put


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_listed_many_at_once_and_in_order(use, kind: str):
    """Folders by day, millions in one folder, hashes: at 20 ms an answer, 40 answers take a fraction of their sum."""
    lister = use(Lister(KINDS[kind], latency=0.02))
    assert [entry.photo_id for entry in buckets.list_below("s3://b/p")] == [name[2:] for name in lister.names]
    assert lister.at_once >= 8


def test_only_the_prefix_is_listed(use):
    """`p` is a folder: neither `p.jpg` nor `pq/` lie in it."""
    use(Lister(["o/1", "p", "p.jpg", "p/1", "p/2/3", "p0", "pq/1"]))
    assert [entry.photo_id for entry in buckets.list_below("s3://b/p")] == ["1", "2/3"]
    assert len(list(buckets.list_below("s3://b"))) == 7


NAMES = st.lists(st.text("ab019./-", min_size=1, max_size=3).filter(lambda name: name.strip("./")), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES.map("/".join), min_size=1, max_size=40), size=st.integers(2, 5))
def test_ranges_of_any_size_hold_each_name_once(use, monkeypatch, names: set[str], size: int):
    """Wherever ranges end, at the marker of a folder too: each object comes once, in the order of their keys."""
    clean = {re.sub("/+", "/", re.sub(r"(^|/)[./]+(?=/|$)", "", name)).lstrip("/") for name in names} - {""}
    lister = use(Lister([f"p/{name}" for name in clean]))
    monkeypatch.setattr(buckets, "PAGE", 1)
    monkeypatch.setattr(buckets, "NAMES_PER_RANGE", size)
    objects = [name[2:] for name in lister.names if not name.endswith("/")]
    if objects:
        assert [entry.photo_id for entry in buckets.list_below("s3://b/p")] == objects


def test_a_bucket_that_does_not_list_in_order_is_refused(use, monkeypatch):
    """Some kinds of buckets give names as they come: ranges of names would leave some out."""
    use(Lister([]))
    monkeypatch.setattr(buckets.obstore, "list", lambda *_, **__: [[_object("p/2"), _object("p/1")]])
    with pytest.raises(InputNotFoundError, match="does not list its names in their order: 'p/1' behind 'p/2'"):
        list(buckets.list_below("s3://b/p"))


def test_few_names_are_held_for_whoever_takes_slowly(use):
    """An archive of ten million names is not held in memory, however slowly its entries are taken."""
    lister = use(Lister([f"p/{number:06d}.jpg" for number in range(400_000)]))
    entries = buckets.list_below("s3://b/p")
    next(entries)
    time.sleep(1)
    bound = (buckets.RANGES_AHEAD + 1) * (buckets.NAMES_PER_RANGE + buckets.PAGE)
    assert lister.given <= bound < len(lister.names) * 0.6
    entries.close()


@settings(max_examples=100, deadline=None)
@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), min_size=2), st.data())
def test_a_cut_leaves_nothing_out(names: set[str], data):
    """Whatever characters names have, the ranges join each other from the last name on, up to the end."""
    found = sorted(names)
    before = data.draw(st.text(min_size=1, max_size=6)) + chr(0x10FFFF)
    ranges = buckets.cut(found, before) if found[-1] < before else []
    if ranges:
        assert (ranges[0].after, ranges[-1].until) == (found[-1], before)
    for one, other in itertools.pairwise(ranges):
        assert one.after < one.until == other.after < other.until


def failing(text: str):
    """A bucket that gives one page, and then what obstore raises for an answer."""

    def list_some(_store, _prefix=None, *, offset=None, chunk_size):
        if offset and offset > "p/":
            raise GenericError(f"Generic S3 error: Error performing list request: {text}")
        yield [_object(f"p/{number:05d}") for number in range(buckets.NAMES_PER_RANGE)]

    return list_some


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("after 8 retries - Server returned non-2xx status code: 503 Slow Down", TemporaryError),
        ("after 8 retries - Server returned non-2xx status code: 429 Too Many Requests", TemporaryError),
        ("after 8 retries - HTTP error: error sending request", TemporaryError),
        ("Server returned non-2xx status code: 403 Forbidden", InputNotFoundError),
        ("Server returned non-2xx status code: 404 Not Found", InputNotFoundError),
    ],
)
def test_a_listing_that_fails_is_never_a_shorter_one(monkeypatch: pytest.MonkeyPatch, text: str, error):
    """It ends with an error, of which the scheduler knows whether to try again: nothing is taken for removed."""
    monkeypatch.setattr(buckets.obstore, "list", failing(text))
    monkeypatch.setattr(buckets, "_opened", lambda bucket: None)
    with pytest.raises(error, match="cannot list s3://b/p/"):
        list(buckets.list_below("s3://b/p"))


def test_a_prefix_that_has_become_empty_is_an_error(use):
    """All of an archive gone at once is a mistake or an outage; a listing of nothing would remove every photo."""
    use(Lister(["q/1"]))
    with pytest.raises(InputNotFoundError, match="holds no object"):
        list(buckets.list_below("s3://b/p"))
