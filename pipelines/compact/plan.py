"""Plans which segments of a snapshot are merged: by size tiers, for what is dead in them, or all; nothing is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

# A content is written again once for each tier that it rises through, and a lookup searches each segment. Of a night's
# 5,000 contents and 10 million in all, tiers of factor 4 make 4 rewrites and at most 3 segments in each of 5 tiers,
# beside the full ones. A factor of 2 would make 8 rewrites for 9 segments, one of 10 would make 3 for 27.
TIER_FACTOR = 4
TIER_SEGMENTS = 4
# Smaller segments share one tier: to write so few contents again costs seconds, and another tier 3 more segments.
SMALLEST_TIER = 1_024
# A dead content costs its place on disk and in memory, and searches pass over it. To drop it, the others of its segment
# are written again: at a fifth, four for each that goes.
MOST_DEAD = 0.2


@dataclass(frozen=True, kw_only=True)
class SegmentSize:
    """What planning has to know of a segment: its contents, how many of them are dead, and its changes of others.

    `has_all_features` says whether local features were kept of all of its contents.
    """

    segment_id: str
    rows: int
    changes: int = 0
    dead: int = 0
    has_all_features: bool = False

    @property
    def alive(self) -> int:
        """How many contents are left of it."""
        return self.rows - self.dead


# Segments that become one, or as few as their contents need: their ids, in the order of the snapshot.
Merge = list[str]


def plan_due(segments: Sequence[SegmentSize], *, max_rows: int) -> list[Merge]:
    """Returns the merges that pay: of several segments in a tier, and of each of which too much is dead.

    None that is merged with others gets more than `max_rows` contents.
    """
    groups = [group for kind in _kinds(segments) for group in _merge_tiers(kind, max_rows)]
    merged = set(chain.from_iterable(groups))
    alone = [one for one in segments if one.segment_id not in merged and one.dead > MOST_DEAD * one.rows]
    return [*groups, *([one.segment_id] for one in alone)]


def plan_all(segments: Sequence[SegmentSize], *, max_rows: int) -> list[Merge]:
    """Returns the merges after which there are as few segments as can be, of up to `max_rows`, and nothing is dead."""
    return [
        [one.segment_id for one in kind]
        for kind in _kinds(segments)
        if len(kind) > max(1, count_parts(sum(one.alive for one in kind), max_rows)) or any(one.dead for one in kind)
    ]


def count_parts(contents: int, max_rows: int) -> int:
    """Returns how many segments of up to `max_rows` so many contents need."""
    return -(-contents // max_rows)


def _kinds(segments: Sequence[SegmentSize]) -> list[list[SegmentSize]]:
    """Returns the segments that may be merged with each other: with local features of all contents, and others.

    Changes alone go with either.
    """
    # A segment that lacks some features counts as one without: encode and index would take all photos of a mixed one
    # for such as were encoded without, and encode them again.
    with_features = [one for one in segments if one.rows and one.has_all_features]
    others = [one for one in segments if one.rows and not one.has_all_features]
    changes = {one.segment_id for one in segments if not one.rows}
    kinds = [{one.segment_id for one in kind} for kind in (with_features, others) if kind] or [set()]
    kinds[0] |= changes
    return [[one for one in segments if one.segment_id in kind] for kind in kinds if kind]


@dataclass(frozen=True)
class _Group:
    segment_ids: list[str]
    rows: int
    changes: int

    @property
    def tier(self) -> int:
        size, tier = max(self.rows, self.changes), 0
        while size >= SMALLEST_TIER * TIER_FACTOR**tier:
            tier += 1
        return tier


def _merge_tiers(segments: Sequence[SegmentSize], max_rows: int) -> list[Merge]:
    """Returns what is merged, tier by tier upwards: what a merge makes may be the fourth one of the next tier."""
    # Two that are more than half full make none that is allowed; one of them and small ones would be written again
    # and again, for little.
    groups = [_Group([one.segment_id], one.alive, one.changes) for one in segments if one.alive <= max_rows // 2]
    order = {one.segment_id: place for place, one in enumerate(segments)}
    tier = 0
    while any(group.tier >= tier for group in groups):
        same = [group for group in groups if group.tier == tier]
        if len(same) >= TIER_SEGMENTS:
            groups = [group for group in groups if group.tier != tier] + _fill(same, max_rows)
        tier += 1
    merged = [sorted(group.segment_ids, key=order.__getitem__) for group in groups if len(group.segment_ids) > 1]
    return sorted(merged, key=lambda ids: order[ids[0]])


def _fill(groups: Sequence[_Group], max_rows: int) -> list[_Group]:
    """Returns the groups joined in their order, each up to `max_rows`."""
    joined: list[_Group] = []
    for group in groups:
        if joined and joined[-1].rows + group.rows <= max_rows:
            last = joined.pop()
            group = _Group(last.segment_ids + group.segment_ids, last.rows + group.rows, last.changes + group.changes)
        joined.append(group)
    return joined
