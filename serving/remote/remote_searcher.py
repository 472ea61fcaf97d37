"""Looks photos up at a server: reads them here, sends them in batches, and yields answers as of a store."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from foundation.archives.ahead import in_order
from foundation.errors import FirstseenError, TemporaryError, UsageError
from serving.answers import Answer
from serving.any_searcher import AnySearcher, Queries, queries_of
from serving.match.options import MatchOptions
from serving.match.query import Query, rejected_because
from serving.remote.address import check_address, check_key
from serving.remote.connection import Connection
from serving.remote.options import RemoteOptions
from serving.remote.problems import TooMuchError
from serving.remote.wire import (
    LOOKUP,
    ServedSnapshot,
    fields_of,
    form_of,
    parse_looked,
    parse_snapshot,
    snapshot_path,
    unknown,
)

# A request has at most so many photos and bytes: the queue of a server has room for many of them, each is answered long
# before its time is over, and little is sent again if it is not. The server puts what waits together to batches of its
# own, whoever it comes from.
BATCH_PHOTOS, BATCH_BYTES = 8, 8 << 20
# Others are on their way meanwhile: with one alone the server would wait for the network between two.
BATCHES_IN_FLIGHT = 3
# Photos that are read ahead, by so many threads: in a bucket each takes a tenth of a second.
READERS, READ_AHEAD = 8, 16


@dataclass(frozen=True)
class _Read:
    """A query that was read: its bytes, or the reason why it has none."""

    name: str
    data: bytes
    reason: str | None = None


class RemoteSearcher(AnySearcher):
    """A server that looks photos up; a context manager that closes its connections. Made by `open_server`.

    The photos of one request are answered from one snapshot: the live one, unless one is named. Numbers are those of
    the JSON that a server writes: rounded to six decimals.
    """

    def __init__(self, connection: Connection, *, snapshot: int | None, options: MatchOptions):
        self._connection, self._options = connection, options
        self._fields = fields_of(options, snapshot)
        self._batch_photos = min(options.batch_size, BATCH_PHOTOS)
        self._snapshot = connection.get(snapshot_path(snapshot), parse=parse_snapshot)
        self._answering = self._snapshot.number, self._snapshot.encoder_id
        self._closed = False

    @property
    def snapshot(self) -> ServedSnapshot:
        """The one that was named, or that was live when the server was first asked; each answer names its own."""
        return self._snapshot

    def lookup(self, queries: Queries) -> Generator[list[Answer], None, None]:
        """Yields the answers of each query, in order: one per match, best first, or one that says why there is none.

        A query is the path or URI of a photo, which is read here, or a Query with bytes of its own. Raises UsageError
        for one query that is in no list, and after `close`; and, as it goes, what `Connection.post` raises.
        """
        asked = queries_of(queries)
        if self._closed:
            raise UsageError(
                "this searcher is closed; expected an open one: look up before it is closed, or open another"
            )
        return self._lookup(asked)

    def close(self) -> None:
        """Closes the connections."""
        self._closed = True
        self._connection.close()

    def _lookup(self, queries: Iterator[Query]) -> Generator[list[Answer], None, None]:
        read = in_order(queries, lambda query: ([_read(query)], []), threads=READERS, ahead=READ_AHEAD)
        flight = BATCHES_IN_FLIGHT
        answered = in_order(
            self._batches(chain.from_iterable(read)),
            lambda batch: (self._answer(batch), []),
            threads=flight,
            ahead=flight,
        )
        for batch in answered:
            yield from batch

    def _batches(self, queries: Iterator[_Read]) -> Iterator[list[_Read]]:
        """Yields the queries in batches of bounded photos and bytes; a photo of more bytes than that is alone."""
        batch: list[_Read] = []
        size_bytes = 0
        for one in queries:
            if batch and (len(batch) >= self._batch_photos or size_bytes + len(one.data) > BATCH_BYTES):
                yield batch
                batch, size_bytes = [], 0
            batch.append(one)
            size_bytes += len(one.data)
        if batch:
            yield batch

    def _answer(self, batch: Sequence[_Read]) -> list[list[Answer]]:
        """Returns the answers of a batch; one that the server does not take at once is asked in halves."""
        sent = [one for one in batch if one.reason is None]
        try:
            answers = iter(self._ask([one.data for one in sent]))
        except TooMuchError as error:
            if len(sent) > 1:
                half = len(batch) // 2
                # The others are cut smaller at once: a photo of many bytes is alone anyway, so it is their number.
                self._batch_photos = min(self._batch_photos, max(1, half))
                return [*self._answer(batch[:half]), *self._answer(batch[half:])]
            batch = [replace(one, reason=one.reason or f"too_large: {error}") for one in batch]
        return [
            [replace(answer, query=one.name) for answer in next(answers)]
            if one.reason is None
            else [self._rejected(one)]
            for one in batch
        ]

    def _ask(self, photos: Sequence[bytes]) -> list[list[Answer]]:
        if not photos:
            return []
        looked = self._connection.post(LOOKUP, *form_of(photos, self._fields), parse=parse_looked)
        if [one.id for one in looked.results] != [str(place) for place in range(len(photos))]:
            raise self._connection.named(unknown(f"{len(looked.results)} results, expected {len(photos)}"))
        self._answering = looked.snapshot, looked.encoder
        return [one.answers for one in looked.results]

    def _rejected(self, one: _Read) -> Answer:
        snapshot, encoder = self._answering
        return Answer(query=one.name, status="rejected", reason=one.reason, snapshot=snapshot, encoder=encoder)


def open_server(
    address: str,
    *,
    snapshot: int | None = None,
    options: MatchOptions | None = None,
    key: str | None = None,
    remote: RemoteOptions | None = None,
) -> RemoteSearcher:
    """Asks the server at http://… or https://… for its snapshot, and keeps the connection.

    `key` is one that the server knows; default: the variable FIRSTSEEN_KEY. Raises UsageError for what is no address or
    key, TemporaryError if nobody answers there, InputNotFoundError if somebody else does or the snapshot is not there,
    AccessDeniedError without a valid key, and UnknownVersionError if it speaks another contract.
    """
    connection = Connection(check_address(address), check_key(key), remote or RemoteOptions())
    try:
        return RemoteSearcher(connection, snapshot=snapshot, options=options or MatchOptions())
    except BaseException:
        connection.close()
        raise


def _read(query: Query) -> _Read:
    try:
        return _Read(query.name, query.read())
    except TemporaryError:
        raise
    except (FirstseenError, OSError) as error:
        return _Read(query.name, b"", rejected_because(error))
