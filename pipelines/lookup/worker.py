"""Holds what a process needs for any step of a lookup: made once, shared by its threads, closed by the last."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foundation.encoder import SavedEncoder
from foundation.photos.decoder_processes import DecoderProcesses
from foundation.photos.shared_decoders import shared_decoders
from foundation.store.content_hashes import hash_array, in_any
from foundation.store.files import Store
from foundation.store.lookups import lookup_directory
from pipelines.encode.embed_photos import shared_encoder
from pipelines.lookup.contents import Hashes
from pipelines.lookup.files import WorkingFiles
from pipelines.lookup.plan import Group, Plan
from pipelines.lookup.verified import checked_files
from pipelines.lookup.work_file import WORK_FILE
from pipelines.runners.reported import ErrorReport
from serving.batch.described import DescribedSnapshot
from serving.batch.open_segments import OpenSegments
from serving.match.threads import MatchThreads
from serving.search.hidden import HiddenContents

# Where the contents lie that no photo has any more.
GONE = "gone"


@dataclass(frozen=True)
class Job:
    """A lookup job as it travels to its workers: where its files lie, its plan, and contents that were answered before.

    `known` are files of hashes below the directory of the lookup.
    """

    store: Store
    plan: Plan
    known: tuple[str, ...] = ()

    @property
    def files(self) -> WorkingFiles:
        """Its working files."""
        return WorkingFiles(self.store, lookup_directory(self.plan.lookup_id))

    @property
    def report(self) -> ErrorReport:
        """Where a worker writes down an error that no retry mends."""
        return ErrorReport.beside(self.store, self.files.path(WORK_FILE))


class Worker:
    """What a process has for a lookup: the described snapshot, its lists, threads, and segments that are open."""

    def __init__(self, job: Job):
        self.job, self.files = job, job.files
        self._open = ExitStack()
        self._segments = ExitStack()
        self._group: tuple[Group, OpenSegments] | None = None
        self._searching = threading.RLock()
        self._remembering = threading.Lock()
        self._remembered: set[bytes] = set()

    @property
    def plan(self) -> Plan:
        """The plan of whoever came last: one that goes on with a lookup may have other groups of segments."""
        return self.job.plan

    @cached_property
    def described(self) -> DescribedSnapshot:
        """The snapshot."""
        return DescribedSnapshot.read(self.job.store, self.plan.snapshot)

    @cached_property
    def gone(self) -> np.ndarray:
        """The contents that no photo has any more, S32 ascending."""
        return self.files.read(GONE, "hashes", Hashes).hashes

    @cached_property
    def lists(self) -> HiddenContents:
        """What must not be answered."""
        return HiddenContents(self.job.store, self.gone)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The threads that search and compare."""
        return self._open.enter_context(MatchThreads()).pool

    @cached_property
    def decoders(self) -> DecoderProcesses:
        """The processes that decode: a photo that no decoder survives must not end the whole job, each time anew."""
        return self._open.enter_context(shared_decoders())

    @property
    def encoder(self) -> SavedEncoder:
        """The encoder that the snapshot names."""
        live = self.described.snapshot
        return shared_encoder(self.job.store, live.encoder_id, live.encoder_digest, self.plan.match.batch_size)

    def renew(self, job: Job) -> None:
        """Takes up the plan, and the contents that were answered by the beginning of another round."""
        if job.known != self.job.known:
            self.__dict__.pop("known", None)
            self._remembered = set()
        self.job = job

    @cached_property
    def known(self) -> list[np.ndarray]:
        """The contents that were answered by the beginning of the round: S32 ascending, of each round before."""
        return [self.files.read(name, "hashes", Hashes).hashes for name in self.job.known]

    def is_known(self, content: bytes) -> bool:
        """Returns whether a content (32 bytes) was answered before, or is asked in a chunk that was prepared here."""
        return content in self._remembered or bool(in_any(self.known, hash_array([content]))[0])

    def remember(self, contents: set[bytes]) -> None:
        """Takes up contents that a prepared file asks: those of a round, 100 bytes each."""
        with self._remembering:
            self._remembered |= contents

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keeps other threads of the process from opening another group until the block ends."""
        # Two threads that take turns chunk by chunk would open both of their groups for each of them.
        with self._searching:
            yield

    @contextmanager
    def group(self, group: Group) -> Iterator[OpenSegments]:
        """Yields the segments of a group; the process has one group open, and its threads take turns."""
        with self._searching:
            if self._group is None or self._group[0] != group:
                self._group = None
                # Closed first: two groups together may be more than there is memory for.
                self._segments.close()
                opened = OpenSegments(
                    self.job.store,
                    self.described,
                    group.numbers,
                    gone=self.gone,
                    verify=checked_files(self.plan.lookup_id).verify,
                )
                self._group = group, self._segments.enter_context(opened)
            yield self._group[1]

    def close(self) -> None:
        """Ends the threads, and closes what is open."""
        for stack in (self._segments, self._open):
            stack.close()


_changing = threading.Lock()
_workers: dict[str, tuple[Worker, int]] = {}


@contextmanager
def shared_worker(job: Job) -> Iterator[Worker]:
    """Yields what this process has for the lookup; whoever leaves last closes it."""
    # Beam sets up a step once for each of its threads, and each would open the segments of its own.
    # A store that travelled to a worker has an absolute address, whatever the user typed.
    key = f"{job.store.local_root or job.store.uri}/{job.files.directory}"
    with _changing:
        worker, users = _workers.get(key) or (Worker(job), 0)
        _workers[key] = worker, users + 1
    try:
        with _changing:
            worker.renew(job)
        yield worker
    finally:
        with _changing:
            users = _workers[key][1] - 1
            if users:
                _workers[key] = worker, users
            else:
                del _workers[key]
                worker.close()
