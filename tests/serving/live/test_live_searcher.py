"""A store that is served: the same answers as a Searcher, whoever asks beside."""

from collections.abc import Iterator

import numpy as np
import pytest

from serving.live.live_searcher import LiveSearcher
from serving.live.options import LiveOptions
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.searcher import Searcher
from tests.conftest import Desk
from tests.photos import jpeg, noise, scene


def from_bytes(data: bytes, name: str = "bytes") -> Query:
    """Returns a query of some bytes."""
    return Query(name, lambda: data)


@pytest.fixture(scope="module")
def live(live_desk: Desk) -> Iterator[LiveSearcher]:
    """The ten photos, served; tests that share it change nothing."""
    with LiveSearcher.open(str(live_desk.store), LiveOptions(snapshot_poll_seconds=3_600)) as live:
        yield live


def test_answers_are_those_of_a_searcher(live: LiveSearcher, live_desk: Desk):
    """Bit by bit, of photos of the archive, copies of them, strangers, blank ones and damaged files."""
    files = [path.read_bytes() for path in sorted(live_desk.archive.rglob("*.jpg"))]
    files += [jpeg(scene(seed), quality=50) for seed in range(12)]
    files += [jpeg(noise(seed)) for seed in range(4)]
    files += [b"", b"<html>", files[0][:300], jpeg(np.full((64, 64, 3), 9, np.uint8))]
    queries = [from_bytes(data, f"query {number}") for number, data in enumerate(files)]
    with Searcher.open(str(live_desk.store)) as searcher:
        expected = list(searcher.lookup(queries))
    options = MatchOptions()
    with live.hold() as held:
        together = [held.submit(query, options) for query in queries]
        assert [held.answers(one.result(), options) for one in together] == expected
        alone = [held.submit(query, options).result() for query in queries]
        assert [held.answers(one, options) for one in alone] == expected
