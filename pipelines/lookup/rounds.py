"""Answers the chunks of a lookup round by round, which bounds its working files, and clears them away."""

import json
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from foundation.store import artifact
from pipelines.lookup.contents import Hashes
from pipelines.lookup.files import Work
from pipelines.lookup.names import ANSWERS, KNOWN, PASSING, ROUNDS, answers_file, chunk_of
from pipelines.lookup.owners import Owners
from pipelines.lookup.plan import LookupOptions, plan_rounds
from pipelines.lookup.progress import OnProgress, RoundProgress, stage_seconds
from pipelines.lookup.worker import Job, shared_worker
from pipelines.runners.names import LOCAL
from pipelines.runners.reported import unshared


class Rounds:
    """The rounds of a lookup: `owners` knows who was answered, `seconds` says what each stage took of all workers."""

    def __init__(self, job: Job, options: LookupOptions, on_progress: OnProgress):
        self._job, self._options, self._on_progress = job, options, on_progress
        self._known: list[str] = []
        self.owners = Owners()
        self.seconds: dict[str, float] = defaultdict(float)

    def carry_out(self) -> None:
        """Answers the chunks that are not answered yet."""
        job, options = self._job, self._options
        done = set(map(chunk_of, job.files.names(ANSWERS)))
        self._take_up(sorted(done))
        pending = [chunk for chunk in range(job.plan.chunks) if chunk not in done]
        rounds = list(plan_rounds(pending, options.chunks_per_round))
        answered = sum(map(job.plan.size, done))
        self._add_seconds(job.files.names(ROUNDS))
        with ExitStack() as stack:
            if rounds and options.runner == LOCAL and options.workers == 1:
                # The steps run in this process: what they open stays open from round to round.
                stack.enter_context(shared_worker(job))
            for number, chunks in enumerate(rounds, 1):
                self._answer(chunks, title=f"round {number} of {len(rounds)}", answered=answered)
                answered += sum(map(job.plan.size, chunks))

    def _answer(self, chunks: list[int], *, title: str, answered: int) -> None:
        # Beam takes seconds to import: who only writes the answers of a lookup that was cut off does without it.
        from pipelines.lookup.run_round import run_round

        job = replace(self._job, known=tuple(self._known))
        progress = RoundProgress(job.files, job.plan, chunks, title=title, answered=answered)
        run_round(job, chunks, self._options, on_progress=lambda: self._on_progress(progress.look()))
        require_answered(job, chunks, runner=self._options.runner)
        self._add_seconds([clear_away(job, chunks)])
        self._take_up(chunks)

    def _add_seconds(self, names: Iterable[str]) -> None:
        for name in names:
            took: dict[str, float] = json.loads(self._job.store.read(self._job.files.path(name)))
            for stage, seconds in took.items():
                self.seconds[stage] += seconds

    def _take_up(self, chunks: Iterable[int]) -> None:
        self._known += add_known(self._job, self.owners.add(self._job.files, chunks))


def require_answered(job: Job, chunks: Iterable[int], *, runner: str) -> None:
    """Raises UsageError if a runner came to its end, and left a chunk without answers."""
    answered = set(map(chunk_of, job.files.names(ANSWERS)))
    if missing := sorted(set(chunks) - answered):
        raise unshared(job.report, f"{len(missing)} chunks of {job.files.directory} not answered", runner=runner)


def clear_away(job: Job, chunks: Iterable[int]) -> str:
    """Removes what only the round needed; returns the name of the file that says what its stages took."""
    files, of_round = job.files, set(chunks)
    passing = [name for stage in PASSING for name in files.names(stage) if chunk_of(name) in of_round]
    seconds = stage_seconds(files, [*passing, *map(answers_file, of_round)])
    # Written first: what a process took that is killed here, the next one counts.
    name = f"{ROUNDS}/{artifact.fresh_name()}.json"
    job.store.create(files.path(name), json.dumps(seconds).encode())
    files.delete(passing)
    return name


def add_known(job: Job, contents: np.ndarray) -> list[str]:
    """Writes contents that were answered, S32 ascending, for the rounds that follow; returns the names of the files."""
    if not len(contents):
        return []
    name = f"{KNOWN}/{artifact.fresh_name()}"
    job.files.create(name, {"hashes": Hashes(contents)}, Work(0, 0.0))
    return [name]
