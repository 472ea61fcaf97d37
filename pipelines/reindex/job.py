"""Re-indexes an archive: encodes what changed, indexes it, and publishes the next snapshot."""

from collections.abc import Callable
from dataclasses import dataclass

from foundation.errors import FirstseenError
from foundation.memory import release_freed
from foundation.store.chains import read_runs, waiting_runs
from foundation.store.files import Store
from foundation.store.snapshots import Snapshot, live_snapshot
from pipelines.compact.job import CompactResult, compact_due
from pipelines.encode.job import EncodeResult, encode
from pipelines.encode.listeners import Listeners, ignore
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import IndexResult, archives_without, build_index
from pipelines.index.plan import IndexOptions


@dataclass(frozen=True)
class ReindexResult:
    """What came of a re-index: the encoding, and the snapshot that is live now.

    `indexed` is None while archives of the live snapshot wait to be encoded with the new encoder: `missing` names them.
    `compacted` says which segments were merged; None if they could not be, and `not_compacted` why: the next run tries
    again.
    """

    encoded: EncodeResult
    indexed: IndexResult | None
    compacted: CompactResult | None
    missing: list[str]
    not_compacted: str | None = None


def reindex(
    encoding: EncodeOptions,
    indexing: IndexOptions,
    *,
    gate: Callable[[Snapshot], None] | None = None,
    listeners: Listeners = Listeners(),  # noqa: B008 (frozen)
    on_encoded: Callable[[EncodeResult], None] = ignore,
) -> ReindexResult:
    """Brings the index up to date with an archive; what waits of other archives is indexed with it.

    Raises what encoding and indexing do. What was encoded is kept when the index is refused, for the next run.
    """
    encoded = encode(encoding, listeners)
    on_encoded(encoded)
    release_freed()
    store = Store(encoding.store)
    missing = [] if indexing.allow_shrink else archives_to_encode(store, encoded.run.encoder_id)
    if missing:
        return ReindexResult(encoded, None, None, missing)
    indexed = build_index(
        store,
        encoder=encoded.run.encoder_id,
        options=indexing,
        runner=encoding.runner,
        workers=encoding.workers,
        beam_flags=encoding.beam_flags,
        gate=gate,
    )
    try:
        return ReindexResult(encoded, indexed, compact_due(store, options=indexing), [])
    except FirstseenError as error:
        # What was published is live and stays so, whatever becomes of the merge: the night did what it was for.
        return ReindexResult(encoded, indexed, None, [], not_compacted=str(error))


def archives_to_encode(store: Store, encoder_id: str) -> list[str]:
    """Returns the archives that are live with another encoder, and were not encoded with this one yet."""
    live = live_snapshot(store)
    if live is None or live.encoder_id == encoder_id:
        return []
    return archives_without(live, waiting_runs(read_runs(store, encoder_id).finished, None, left_out=live.left_out))
