"""Builds segments in the place of damaged ones: vectors from whole shards, and what the inventories say of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from foundation.errors import FirstseenError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.chains import FinishedRun
from foundation.store.content_hashes import hash_array
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.segments import Segment, SegmentReference, content_hashes_path, whole_hash
from pipelines.encode.held import contents_of
from pipelines.index.build_segment import build_segment
from pipelines.index.plan import (
    IndexOptions,
    SegmentPlan,
    ShardReference,
    Surroundings,
    group_within_limits,
    list_shards,
)
from pipelines.repair.differences import Missing, find_missing, find_said


@dataclass(frozen=True)
class Sources:
    """The shards that hold what is wanted, and the contents (32 bytes each) that they hold of it."""

    shards: list[ShardReference]
    contents: list[bytes]


@dataclass(frozen=True)
class Rebuilding:
    """What is built in the place of damaged segments, and the photos whose contents nothing holds any more."""

    sources: Sources
    said: dict[bytes, list[Occurrence]]
    lost: list[Missing]


def plan_rebuilding(
    store: Store,
    database: duckdb.DuckDBPyConnection,
    runs: Sequence[FinishedRun],
    *,
    digest: str,
    damaged: dict[str, list[str]],
    withdrawn: Sequence[bytes],
) -> Rebuilding:
    """Finds what whole segments lack among the shards of any run of the encoder, whose `damaged` files are passed over.

    Reads the hashes of the shards, and those shards whole that hold what is lacking.
    """
    missing, poorer = find_missing(database, withdrawn)
    shards = [
        shard for shard in _usable(runs, digest) if shard.path.rpartition("/")[2] not in damaged.get(_run(shard), [])
    ]
    sources = find_sources(store, shards, hash_array({one.content_sha256 for one in missing}), hash_array(poorer))
    found = set(sources.contents)
    return Rebuilding(
        sources, find_said(database, sources.contents), [one for one in missing if one.content_sha256 not in found]
    )


def _usable(runs: Sequence[FinishedRun], digest: str) -> list[ShardReference]:
    """Returns the shards whose vectors may lie beside each other, those with local features first."""
    usable = [one for one in runs if one.run.encoder_digest == digest and one.run.feature_rule in (None, FEATURE_RULE)]
    return sorted(list_shards(usable), key=lambda shard: shard.features != "local")


def _run(shard: ShardReference) -> str:
    return shard.directory.rpartition("/")[2]


def find_sources(store: Store, shards: Sequence[ShardReference], missing: np.ndarray, poorer: np.ndarray) -> Sources:
    """Returns shards that hold the `missing` contents, or local features of the `poorer` ones, S32 both.

    A shard that is damaged is passed over: another one may hold the same.
    """
    chosen, covered = [], np.empty(0, "S32")
    for shard in shards:
        wanted = np.union1d(missing, poorer) if shard.features == "local" else np.unique(missing)
        wanted = np.setdiff1d(wanted, covered)
        if not len(wanted):
            continue
        try:
            held = np.intersect1d(wanted, contents_of(store, shard.path))
            if len(held):
                artifact.verify_files(store, shard.directory, {shard.path.rpartition("/")[2]: shard.record})
        except (FirstseenError, OSError, ValueError):
            continue
        if len(held):
            chosen.append(shard)
            covered = np.union1d(covered, held)
    return Sources(chosen, [whole_hash(content) for content in covered.tolist()])


def build(
    store: Store,
    rebuilding: Rebuilding,
    *,
    spec: EncoderSpec,
    digest: str,
    kept: Sequence[Segment],
    runs: Sequence[FinishedRun],
    withdrawn: Sequence[bytes],
    options: IndexOptions,
) -> Iterator[SegmentReference]:
    """Builds what the whole segments, which are `kept`, lack, one segment after the other."""
    if not rebuilding.said:
        return
    digests = {one.run.run_id: one.digest for one in runs}
    holding = [one for one in kept if one.rows]
    surroundings = Surroundings(
        said=rebuilding.said,
        held=[content_hashes_path(one) for one in holding],
        held_with_features=[content_hashes_path(one) for one in holding if one.has_all_features],
        withdrawn=list(withdrawn),
    )
    # What has to be said is said by the first, also if there is nothing to hold.
    for number, shards in enumerate(group_within_limits(rebuilding.sources.shards, spec.dimension, options) or [[]]):
        plan = SegmentPlan(number, shards, {name: digests[name] for name in sorted(set(map(_run, shards)))})
        _, built = build_segment(
            plan, store=store, spec=spec, encoder_digest=digest, options=options, surroundings=surroundings
        )
        if built:
            yield built
