"""Tells how far a lookup is, by the files that its workers create: whatever runs them, and begins them anew."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from foundation.errors import FirstseenError
from pipelines.lookup.files import READERS, WorkingFiles
from pipelines.lookup.names import ANSWERS, FETCHED, FOUND, PREPARED, WANTED, chunk_of
from pipelines.lookup.plan import Plan

# In a bucket a look is five listings.
LOOK_EVERY_SECONDS = 2.0
# The stages in the order in which a chunk passes them, and what a person calls each.
STAGES = {PREPARED: "preparing", FOUND: "searching", WANTED: "choosing", FETCHED: "fetching", ANSWERS: "answering"}


@dataclass(frozen=True)
class Progress:
    """How far a lookup is: queries that are answered of all, and in words what the present round is at."""

    answered: int
    queries: int
    stage: str


class RoundProgress:
    """Looks now and then how far a round is."""

    def __init__(self, files: WorkingFiles, plan: Plan, chunks: Sequence[int], *, title: str, answered: int):
        self._files, self._plan, self._chunks = files, plan, set(chunks)
        self._title, self._before = title, answered
        self._looked = time.monotonic() - LOOK_EVERY_SECONDS
        self._seen = Progress(answered, plan.queries, title)

    def look(self) -> Progress:
        """Returns how far the lookup is, as of the last look."""
        if time.monotonic() - self._looked >= LOOK_EVERY_SECONDS:
            # A listing that fails must not end the job, which may be hours into its work.
            with suppress(FirstseenError):
                self._seen = self._look()
            self._looked = time.monotonic()
        return self._seen

    def _look(self) -> Progress:
        done = {stage: self._done(stage) for stage in STAGES}
        answered = self._before + sum(map(self._plan.size, done[ANSWERS]))
        stage = next((stage for stage in reversed(STAGES) if done[stage]), PREPARED)
        words = f"{self._title}, {STAGES[stage]}: {len(done[stage]):,} of {len(self._chunks):,} chunks"
        return Progress(answered, self._plan.queries, words)

    def _done(self, stage: str) -> set[int]:
        return self._chunks & set(map(chunk_of, self._files.names(stage)))


def stage_seconds(files: WorkingFiles, names: Iterable[str]) -> dict[str, float]:
    """Returns the seconds that the files of each stage took, added up over all workers."""
    names = list(names)
    seconds: dict[str, float] = defaultdict(float)
    with ThreadPoolExecutor(READERS) as pool:
        for name, work in zip(names, pool.map(files.work, names), strict=True):
            seconds[_stage_of(name)] += work.seconds
    return seconds


def _stage_of(name: str) -> str:
    """Returns the stage whose work a file holds: a closer look is prepared when the first one is answered."""
    stage, _, rest = name.partition("/")
    return ANSWERS if stage == PREPARED and rest.endswith("-1") else stage


OnProgress = Callable[[Progress], None]
