"""Builds the segments that a merge makes: rows from the segments themselves, indexed and measured as by an index."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.segments import CONTENT_HASHES, SegmentReference
from pipelines.compact.merge_rows import Chosen, choose, merge_local_files, merge_vectors
from pipelines.compact.merge_tables import MergeInput, merge_tables, span_of
from pipelines.compact.plan import count_parts
from pipelines.compact.sources import Source, open_source
from pipelines.index.build_segment import SegmentContent, finish_segment
from pipelines.index.plan import IndexOptions
from serving.search.segment_tables import SegmentTables


@dataclass(frozen=True, kw_only=True)
class Merging:
    """What all merges of a compaction share: the store, the encoder, the options of the index, and what goes.

    `dropped` are the contents that nobody may find any more, S32 ascending; `forgotten` are photos, by archive and
    photo_id, of which nothing may be left at all.
    """

    store: Store
    spec: EncoderSpec
    encoder_digest: str
    options: IndexOptions
    dropped: np.ndarray
    forgotten: frozenset[tuple[str, str]] = frozenset()


def merge_segments(
    merging: Merging, segments: Sequence[SegmentTables], others: Sequence[SegmentTables]
) -> Iterator[SegmentReference]:
    """Builds as few segments of some as can be, and yields each when it is in the store; none if nothing is left.

    `segments` are in the order of the snapshot, `others` are those that stay. Needs room for the merged vectors twice
    and for the local features, 20 KB a row, in the folder for temporary files; a bucket's segments are copied there.

    Raises ArtifactRefusedError for a damaged segment, and for recall under the bar.
    """
    with ExitStack() as stack:
        sources = [stack.enter_context(open_source(merging.store, one)) for one in segments]
        merged = MergeInput(sources=sources, others=others, dropped=merging.dropped, forgotten=merging.forgotten)
        chosen = choose(sources, others, merging.dropped)
        parts = count_parts(len(chosen.contents), merging.options.max_segment_rows)
        for said in _cut(_said(sources), chosen.contents, parts):
            part = chosen.between(*span_of(chosen.contents, said))
            reference = _build(merging, merged, part, said)
            if reference:
                yield reference


def _build(merging: Merging, merged: MergeInput, chosen: Chosen, said: np.ndarray) -> SegmentReference | None:
    with tempfile.TemporaryDirectory(prefix="firstseen-") as directory:
        folder = Path(directory)
        np.save(folder / CONTENT_HASHES, chosen.contents)
        photos, changes = merge_tables(folder, merged, chosen, said)
        if not len(chosen.contents) and not changes:
            return None
        content = SegmentContent(
            photos=photos,
            changes=changes,
            runs=_runs(merged.sources),
            shards=_shards(merged.sources),
            vectors=merge_vectors(merged.sources, chosen, dimension=merging.spec.dimension),
            local=merge_local_files(folder, merged.sources, chosen),
        )
        return finish_segment(
            merging.store,
            folder,
            content,
            spec=merging.spec,
            encoder_digest=merging.encoder_digest,
            options=merging.options,
        )


def _said(sources: Sequence[Source]) -> np.ndarray:
    """Returns the contents that the sources hold or mention: S32, ascending."""
    return np.unique(np.concatenate([np.asarray(hashes) for one in sources for hashes, _ in one.tables.tables]))


def _cut(said: np.ndarray, held: np.ndarray, parts: int) -> Iterator[np.ndarray]:
    """Yields what is said in so many parts, by hash, each with about as many of the contents held, S32 ascending."""
    # No part knows anything of another's contents, and a lookup searches each of them anyway.
    firsts = held[[len(held) * number // parts for number in range(1, parts)]]
    for part in np.split(said, np.searchsorted(said, firsts)):
        if len(part):
            yield part


def _runs(sources: Sequence[Source]) -> dict[str, str]:
    """Returns the runs that the rows may come from, and their digests: the chain of digests goes on through a merge."""
    found = {run_id: digest for one in sources for run_id, digest in one.tables.segment.runs.items()}
    return dict(sorted(found.items()))


def _shards(sources: Sequence[Source]) -> list[str]:
    return list(dict.fromkeys(shard for one in sources for shard in one.tables.segment.shards))
