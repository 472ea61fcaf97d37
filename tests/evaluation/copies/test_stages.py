"""Times of the stages of a lookup."""

import time
from concurrent.futures import ThreadPoolExecutor

from evaluation.copies.stages import Stopwatch

BUSY_MS = 30


def keep_busy() -> None:
    """Computes for some milliseconds of this thread's processor time."""
    started = time.thread_time()
    while 1_000 * (time.thread_time() - started) < BUSY_MS:
        pass


def test_what_is_computed_in_other_threads_is_timed_too():
    """An encoder has threads of its own: their time is part of what a stage takes, waiting is not."""
    watch = Stopwatch()
    with watch.time("busy"), ThreadPoolExecutor(1) as pool:
        pool.submit(keep_busy).result()
    with watch.time("waiting"):
        time.sleep(BUSY_MS / 1_000)
    times = {one.stage: one for one in watch.read()}
    assert times["busy"].mean_ms > 0.9 * BUSY_MS
    assert times["waiting"].mean_ms < 0.9 * BUSY_MS


def test_the_sum_of_stages_has_a_name_of_its_own():
    """Each stage is kept by its name, once for each query that came to it."""
    watch = Stopwatch()
    for names in (("decode", "verify"), ("decode",)):
        of_query = Stopwatch()
        for name in names:
            with of_query.time(name):
                keep_busy()
        watch.sum_up("in all", of_query)
    times = {one.stage: one for one in watch.read()}
    assert {name: one.queries for name, one in times.items()} == {"decode": 2, "verify": 1, "in all": 2}
    assert times["in all"].mean_ms > times["decode"].mean_ms + times["verify"].mean_ms / 3
