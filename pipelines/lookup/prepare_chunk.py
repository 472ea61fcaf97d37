"""Prepares a chunk of queries: reads, decodes and encodes each content once, and settles what asks nothing."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from foundation.store.segments import whole_hash
from pipelines.lookup.contents import Contents
from pipelines.lookup.files import Part
from pipelines.lookup.names import FIRST, PREPARED, answers_file, chunk_file
from pipelines.lookup.step import Step
from pipelines.lookup.work_file import WORK_FILE, read_names
from pipelines.lookup.worker import Worker
from serving.batch.answered import Answered
from serving.batch.pictures import Pictures
from serving.batch.prepare import prepare
from serving.batch.prepared import Prepared
from serving.match.match import answers_of
from serving.match.query import Query, open_queries


class PrepareChunk(Step):
    """Number of a chunk → the same number, once what it asks is in the store; nothing if it is answered by then."""

    def process(self, chunk: int) -> Iterator[int]:
        """Prepares the chunk unless that was done before."""
        worker, name = self.worker, chunk_file(PREPARED, chunk, FIRST)
        reading = Reading()
        make = partial(_prepare, worker, chunk, reading)
        if not self.once(name, make, queries=worker.plan.size(chunk)):
            return
        with self.report.reporting():
            prepared = worker.files.read(name, "prepared", Prepared)
            contents = worker.files.read(name, "contents", Contents)
            # What the file asks or rejects will be answered, whoever wrote it.
            worker.remember(set(map(whole_hash, contents.hashes)))
            if prepared.asked:
                yield chunk
            else:
                settled = partial(_settled, worker, prepared, contents)
                self.once(answers_file(chunk), settled, queries=worker.plan.size(chunk))


class Reading:
    """Reads the queries of a chunk, and decides which of them are decoded: the first of each content that is not known.

    `contents` are those of the queries that could be read, by their place in the chunk; threads may share it.
    """

    def __init__(self) -> None:
        self.contents: dict[int, bytes] = {}
        self._begun: set[bytes] = set()
        self._deciding = threading.Lock()

    def watched(self, number: int, query: Query) -> Query:
        """Returns the query, whose content is noted when it is read."""
        return Query(query.name, partial(self._read, number, query))

    def _read(self, number: int, query: Query) -> bytes:
        data = query.read()
        self.contents[number] = hashlib.sha256(data).digest()
        return data

    def is_known(self, worker: Worker, content: bytes) -> bool:
        """Returns whether a content (32 bytes) need not be decoded; it need not after it was asked for once."""
        with self._deciding:
            if content in self._begun or worker.is_known(content):
                return True
            self._begun.add(content)
            return False


def _prepare(worker: Worker, chunk: int, reading: Reading) -> Mapping[str, Part]:
    names = read_names(worker.job.store, worker.files.path(WORK_FILE), worker.plan.queries_sha256, chunk)
    queries = open_queries(names, Path(worker.plan.folder))
    worker.lists.refresh()
    prepared, pictures = prepare(
        [reading.watched(number, query) for number, query in enumerate(queries)],
        worker.encoder,
        with_features=worker.described.has_local_features,
        bank=worker.lists.ignored,
        batch_size=worker.plan.match.batch_size,
        known=partial(reading.is_known, worker),
        pool=worker.decoders.threads,
        call=worker.decoders.call,
    )
    # A reject that could be read is one under every name.
    own = {number: content for number, content in reading.contents.items() if number not in prepared.known}
    return {"prepared": prepared, "pictures": pictures, "contents": Contents.of(own)}


def _settled(worker: Worker, prepared: Prepared, contents: Contents) -> Mapping[str, Part]:
    """Returns the answers of a chunk that asks nothing."""
    live, claimed = worker.described.snapshot, worker.plan.match.claimed_date
    answers = {number: answers_of(outcome, live, claimed=claimed) for number, outcome in prepared.outcomes.items()}
    return {"answered": Answered(answers, (), prepared.known, {}), "contents": contents}


def pictures_of(worker: Worker, chunk: int) -> Pictures:
    """Returns the pictures of a chunk."""
    return worker.files.read(chunk_file(PREPARED, chunk, FIRST), "pictures", Pictures)
