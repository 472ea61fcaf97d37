"""Times the stages of a lookup, one after the other, as if there were one core."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median

from threadpoolctl import threadpool_limits

from evaluation.copies.result import StageTime
from foundation.encoder import SavedEncoder, load
from foundation.store.files import Store
from foundation.store.snapshots import Snapshot
from serving.match.candidates import find_candidates, nearest_vectors
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.examine import examine_all, explains
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.search.snapshot import OpenSnapshot

DECODE, VECTOR, SEARCH, VERIFY = (
    "decode, and extract keypoints",
    "encode, and search by vector",
    "search by votes",
    "verify",
)
CLOSER_DECODE, CLOSER_SEARCH, CLOSER_VERIFY = (f"closer look: {part}" for part in ("extract", SEARCH, VERIFY))
PLAIN, CLOSER = "in all, without a closer look", "in all, with a closer look"
IN_ORDER = (DECODE, VECTOR, SEARCH, VERIFY, PLAIN, CLOSER_DECODE, CLOSER_SEARCH, CLOSER_VERIFY, CLOSER)


class Stopwatch:
    """Adds up processor time by the name of what was done, in milliseconds."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Times what is done within, once more of that name."""
        # The encoder and ScaNN compute in threads of their own, whose time counts as well.
        started = time.process_time()
        yield
        self._times[name].append(1_000 * (time.process_time() - started))

    def sum_up(self, name: str, other: "Stopwatch") -> None:
        """Takes over the times of another one, and their sum by a name of its own."""
        for each, times in other._times.items():
            self._times[each] += times
        self._times[name].append(sum(map(sum, other._times.values())))

    def read(self) -> list[StageTime]:
        """Returns the times, the names in the order in which they came."""
        return [
            StageTime(stage=name, queries=len(times), median_ms=median(times), mean_ms=mean(times))
            for name, times in self._times.items()
        ]


def time_stages(store: Store, snapshot: Snapshot, queries: Sequence[Path]) -> list[StageTime]:
    """Returns what each stage of looking up some queries takes, and all of them; not all get a closer look.

    Nothing else may run in this process meanwhile.
    """
    watch, encoder = Stopwatch(), load(store, snapshot.encoder_id)
    # What a lookup does in several threads is done in one here: they would be timed together.
    with OpenSnapshot(store, snapshot) as opened, threadpool_limits(1, user_api="blas"):
        for query in queries:
            of_query = Stopwatch()
            name = _time_one(of_query, opened, encoder, Query.of(str(query)))
            watch.sum_up(name, of_query)
    return sorted(watch.read(), key=lambda one: IN_ORDER.index(one.stage))


def _time_one(watch: Stopwatch, opened: OpenSnapshot, encoder: SavedEncoder, query: Query) -> str:
    """Times the stages of one query, and returns what all of them are called."""
    with watch.time(DECODE):
        asked = decode_query(query, encoder.spec, with_features=opened.has_local_features)
    if not isinstance(asked, DecodedQuery):
        return PLAIN
    with watch.time(VECTOR):
        vectors = encoder.encode(asked.photo.pixels[None])
        (near,) = nearest_vectors(opened, vectors, MatchOptions().top_k)
    look, names = asked.pictured, (SEARCH, VERIFY)
    while True:
        with watch.time(names[0]):
            candidates = find_candidates(opened, asked.photo, vectors[0], near, look)
        with watch.time(names[1]):
            matches = examine_all(opened, look, candidates, with_similar=False)
        if look is None or look.is_close or any(map(explains, matches)):
            return CLOSER if look and look.is_close else PLAIN
        names = (CLOSER_SEARCH, CLOSER_VERIFY)
        with watch.time(CLOSER_DECODE):
            look = look.closer
