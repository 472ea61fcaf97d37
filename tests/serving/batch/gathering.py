"""Looks queries up by gathering from groups of segments, through files as a job does, in any order of merging."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from foundation.encoder import SavedEncoder, load
from foundation.store.files import Store
from serving.answers import Answer
from serving.batch.answer import answer, closer
from serving.batch.answered import Answered
from serving.batch.described import DescribedSnapshot
from serving.batch.fetched import fetch, merge_fetched
from serving.batch.found import merge_found, search
from serving.batch.open_segments import OpenSegments, find_gone
from serving.batch.prepare import prepare
from serving.batch.prepared import Prepared
from serving.batch.wanted import choose
from serving.match.look import lists_similar
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.match.threads import MatchThreads
from serving.search.hidden import HiddenContents


class Gathering:
    """A lookup of chunks of queries in groups of segments; what one step makes, the next one reads from a file."""

    def __init__(
        self,
        store: Store,
        groups: Sequence[Sequence[int]],
        folder: Path,
        encoder: SavedEncoder | None = None,
        **options: Any,
    ):
        self.folder = folder
        self.options = MatchOptions(**options)
        self.described = DescribedSnapshot.read(store)
        self.encoder = encoder or _encoder(store, self.described, self.options)
        with ExitStack() as stack:
            self.threads = stack.enter_context(MatchThreads())
            gone = find_gone(store, self.described)
            self.groups = [
                stack.enter_context(OpenSegments(store, self.described, group, gone=gone)) for group in groups
            ]
            self.lists = HiddenContents(store, gone)
            self._stack = stack.pop_all()

    def __enter__(self) -> "Gathering":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def answers(self, queries: Sequence[Query], *, chunk: int = 128) -> list[list[Answer]]:
        """Returns the answers of all queries, in order."""
        found: list[list[Answer]] = []
        for start in range(0, len(queries), chunk):
            some = queries[start : start + chunk]
            answered = self.answered(some)
            assert answered.unsettled == []
            found += [answered.answers[number] for number in range(len(some))]
        return found

    def answered(self, queries: Sequence[Query]) -> Answered:
        """Returns the answers to one chunk."""
        prepared, pictures = prepare(
            queries,
            self.encoder,
            with_features=self.described.has_local_features,
            bank=self.lists.ignored,
            batch_size=self.options.batch_size,
            known=lambda content: False,
            pool=self.threads.pool,
        )
        prepared, pictures = self._through_file(prepared), self._through_file(pictures)
        wanted, answered = self._look(prepared, pictures)
        if not answered.unsettled:
            return answered
        again = closer(prepared, pictures, wanted, answered.unsettled, bank=self.lists.ignored, pool=self.threads.pool)
        return answered.with_closer(self._look(self._through_file(again), pictures)[1])

    def _look(self, prepared: Prepared, pictures: Any) -> Any:
        k, pool = self.options.top_k, self.threads.pool
        found = [self._through_file(search(group, prepared, k=k, pool=pool)) for group in self.groups]
        # The last with the first, so that no two neighbours are merged; then all others at once.
        found = [self._through_file(merge_found([found[-1], found[0]])), *found[1:-1]] if len(found) > 1 else found
        with_similar = lists_similar(self.options, has_local_features=self.described.has_local_features)
        wanted = self._through_file(choose(prepared, merge_found(found), with_similar=with_similar))
        fetched = merge_fetched([self._through_file(fetch(group, wanted)) for group in reversed(self.groups)])
        answered = answer(
            prepared,
            pictures,
            wanted,
            fetched,
            described=self.described,
            lists=self.lists,
            options=self.options,
            pool=pool,
        )
        return wanted, self._through_file(answered)

    def _through_file(self, held: Any) -> Any:
        path = self.folder / f"{type(held).__name__}.parquet"
        held.write(path)
        return type(held).read(path)


def _encoder(store: Store, described: DescribedSnapshot, options: MatchOptions) -> SavedEncoder:
    live = described.snapshot
    return load(store, live.encoder_id, expected_digest=live.encoder_digest, batch_size=options.batch_size)
