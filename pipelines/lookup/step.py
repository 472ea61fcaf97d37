"""Does a piece of work of a lookup once: its file says that it is done, and a job that is killed goes on behind it."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import apache_beam as beam

from foundation.memory import release_freed
from pipelines.lookup.files import Part, Work
from pipelines.lookup.worker import Job, Worker, shared_worker
from pipelines.runners.failures import naming


class Step(beam.DoFn):
    """A step of the job, thin: what it reads and makes are plain functions of `serving.batch`."""

    worker: Worker

    def __init__(self, job: Job):
        self.job = job
        self.report = job.report

    def setup(self) -> None:
        """Takes its share of what the process has; it is made with the first piece of work that needs it."""
        self._open = ExitStack()
        self.worker = self._open.enter_context(shared_worker(self.job))
        self._sees_work = False
        with self.report.reporting():
            self._sees_work = self.report.sees_work()

    def teardown(self) -> None:
        """Gives its share back."""
        self._open.close()

    def once(self, name: str, make: Callable[[], Mapping[str, Part]], *, queries: int) -> bool:
        """Makes a file unless it is there; returns whether the work that follows can go on.

        It cannot once the job has failed, whose launcher then raises what was reported, nor where the store is another.
        """
        with self.report.reporting(), naming(name):
            if not self._sees_work or self.report.is_there():
                return False
            # A runner may do an element twice, and the one that comes to its end first counts.
            if not self.worker.files.exists(name):
                started = time.monotonic()
                parts = make()
                self.worker.files.create(name, parts, Work(queries, time.monotonic() - started))
                # Allocators would keep the memory of a chunk in pieces, and take more of it for every other one.
                release_freed()
            return True
        return False
