"""Answers lookups of many clients from the live snapshot of a store, and takes up new ones while it does."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager

from foundation.store.files import Store
from serving.live.follower import Follower
from serving.live.held import Held
from serving.live.loaded import OLDEST_LISTS_SECONDS, Loaded
from serving.live.loader import Loader
from serving.live.observer import Observer, Unobserved
from serving.live.opening import open_loaded
from serving.live.options import LiveOptions
from serving.live.pipeline import Pipeline
from serving.live.places import Places
from serving.live.residents import Residents
from serving.live.state import LiveState, Reloaded


class LiveSearcher:
    """A store that is served: its live snapshot, and the threads and processes that answer; made by `open`.

    with LiveSearcher.open("STORE") as live, live.hold() as held:
        outcome = held.submit(Query.of("photo.jpg"), MatchOptions()).result()
    """

    def __init__(self, store: Store, options: LiveOptions, observe: Observer):
        # If anything fails, what was started before is ended.
        with ExitStack() as stack:
            loaded = open_loaded(store, None, options)
            self._residents = Residents(loaded)
            stack.callback(self._residents.close)
            self._pipeline = Pipeline(options, observe)
            stack.callback(self._pipeline.close)
            self._pipeline.warm()
            self._places = Places(
                options.queue_queries, rate=self._pipeline.rate, deadline_seconds=options.deadline_seconds
            )
            self._follower = Follower(store, self._residents, seconds=options.snapshot_poll_seconds)
            stack.callback(self._follower.close)
            self._loader = Loader(store, options, observe, self._residents)
            stack.callback(self._loader.close)
            self._stack = stack.pop_all()
        self._is_draining = False

    @classmethod
    def open(
        cls, store: str | Store, options: LiveOptions | None = None, *, observe: Observer | None = None
    ) -> "LiveSearcher":
        """Opens, checks and warms the live snapshot of a store, and starts what answers queries.

        `store` is a local directory, gs://… or s3://…. Raises InputNotFoundError without a store or a snapshot,
        ArtifactRefusedError if any file of the snapshot or the encoder differs from its digest.
        """
        opened = store if isinstance(store, Store) else Store(store)
        return cls(opened, options or LiveOptions(), observe or Unobserved())

    @contextmanager
    def hold(self, snapshot: int | None = None) -> Iterator[Held]:
        """Keeps the live snapshot, or the numbered one, for a request until the block ends.

        One that is not loaded is opened in the background, and SnapshotNotLoaded raised until it is. Costs nothing.
        Raises InputNotFoundError if there is none of that number, or it was refused, Closed after `close`.
        """
        loaded = self._residents.hold_live() if snapshot is None else self._hold_numbered(snapshot)
        try:
            yield Held(loaded, self._residents, self._pipeline, self._places)
        finally:
            self._residents.give_back(loaded)

    def _hold_numbered(self, number: int) -> Loaded:
        loaded = self._residents.hold(number)
        if loaded is None:
            raise self._loader.want(number)
        return loaded

    def reload(self) -> Future[Reloaded]:
        """Looks at once for snapshots, those that were refused too, and for what was retracted or ignored.

        The future is told when a newer snapshot answers, or is refused; of a large one this takes minutes. Raises
        Closed after `close`.
        """
        return _both(self._follower.look(), self._loader.reload())

    def state(self) -> LiveState:
        """Returns how the store stands; costs nothing."""
        loaded = self._residents.loaded
        age = max(one.opened.lists_age_seconds for one in loaded)
        return LiveState(
            is_ready=not self._is_draining
            and self._pipeline.is_alive
            and self._follower.is_sound
            and age <= OLDEST_LISTS_SECONDS,
            live=loaded[0].number,
            loaded=tuple(one.number for one in loaded),
            refused=self._loader.refused.reasons,
            looked_at=self._loader.looked_at,
            problem=self._loader.problem or self._follower.problem,
            queue_queries=self._places.taken,
            lists_age_seconds=age,
        )

    def drain(self) -> None:
        """Is not ready from now on; what is being answered goes on, and what is still asked is answered."""
        self._is_draining = True

    def close(self) -> None:
        """Ends threads and processes, and closes every snapshot; who waits for a query is told that it is given up."""
        self._is_draining = True
        self._stack.close()

    def __enter__(self) -> "LiveSearcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _both(looked: Future[None], loaded: Future[Reloaded]) -> Future[Reloaded]:
    """Returns what tells the second once both are done; whoever waits for it may cancel it, and no one else's."""
    both: Future[Reloaded] = Future()

    def tell(_: object) -> None:
        if not both.set_running_or_notify_cancel():
            return
        if error := loaded.exception():
            both.set_exception(error)
        else:
            both.set_result(loaded.result())

    loaded.add_done_callback(lambda _: looked.add_done_callback(tell))
    return both
