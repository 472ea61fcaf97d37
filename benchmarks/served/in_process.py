"""Looks photos up in this process, as a batch job does; prints what it took as JSON.

python -m benchmarks.served.in_process STORE PHOTOS COUNT
"""

import json
import statistics
import sys
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks.served.load import photos_of
from serving.match.query import Query
from serving.searcher import Searcher

# What is read for the first time is read before the clock runs.
WARM_UP = 16
# Photos that are looked up one by one, for the time that a single one takes.
ONE_BY_ONE = 40


def main() -> None:
    """Measures photos per second of a stream, and milliseconds of one photo after the other."""
    store, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    photos = photos_of(folder)
    queries = (Query(str(number), partial(bytes, photo)) for number, photo in enumerate(cycle(photos)))
    with Searcher.open(store) as searcher:
        list(searcher.lookup(islice(queries, WARM_UP)))
        started = time.perf_counter()
        list(searcher.lookup(islice(queries, count)))
        rate = count / (time.perf_counter() - started)
        single = [_seconds(searcher, photo) for photo in islice(cycle(photos), ONE_BY_ONE)]
    print(json.dumps({"photos_per_second": rate, "single_p50_ms": 1000 * statistics.median(single)}))


def _seconds(searcher: Searcher, photo: bytes) -> float:
    started = time.perf_counter()
    list(searcher.lookup([Query("one", partial(bytes, photo))]))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
