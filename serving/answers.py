"""CONTRACT: the answer to a lookup, the same in every format: one row per query and match, at least one per query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

from foundation.store.occurrences import Basis

Status = Literal["matched", "no_match", "not_matchable", "rejected"]
Claim = Literal["contradicted", "not_contradicted"]
# Verdicts of photos that are no copy; whatever else a match is called, its photo is in the query.
NO_COPY = ("same_scene", "similar")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One match of one query; without a match only the query, status, reason, snapshot and encoder are set.

    `rank` counts from 1; `score`, `query_overlap` and `photo_overlap` are in [0, 1], `similarity` is the cosine, or
    1 / (1 + distance); `transform` are nine numbers, the homography from query to photo in pixels, row by row.
    `first_seen_at`, `first_seen_uri` and `occurrences` of a copy are over all copies found that show the same part of
    the query; `first_seen_basis` says what that date is. `photo_id`, `uri`, `published_at`, `caption`, `credit` and
    `source` are those of the first published photo of these bytes. `description` is the verdict in words; `claim` says
    of a dated copy whether the archive published it before the date that was claimed for the query.
    """

    query: str
    status: Status
    snapshot: int
    encoder: str
    verdict: str | None = None
    score: float | None = None
    first_seen_at: datetime | None = None
    first_seen_basis: Basis | None = None
    first_seen_uri: str | None = None
    description: str | None = None
    claim: Claim | None = None
    reason: str | None = None
    rank: int | None = None
    photo_id: str | None = None
    uri: str | None = None
    occurrences: int | None = None
    similarity: float | None = None
    inliers: int | None = None
    query_overlap: float | None = None
    photo_overlap: float | None = None
    transform: list[float] | None = None
    published_at: datetime | None = None
    caption: str | None = None
    credit: str | None = None
    source: str | None = None

    @property
    def is_copy(self) -> bool:
        """Whether this is a match, and its photo is in the query: not only similar, nor another one of the scene."""
        return self.rank is not None and self.verdict not in NO_COPY


_TIME = pa.timestamp("us", "UTC")

# Written out, not derived from the annotations above: a contract changes when somebody means it to. Columns are known
# by their names; what a person looks for first stands first, in a spreadsheet too.
SCHEMA = pa.schema(
    [
        pa.field("query", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("verdict", pa.string()),
        pa.field("score", pa.float32()),
        pa.field("first_seen_at", _TIME),
        pa.field("first_seen_basis", pa.string()),
        pa.field("first_seen_uri", pa.string()),
        pa.field("description", pa.string()),
        pa.field("claim", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("rank", pa.int32()),
        pa.field("photo_id", pa.string()),
        pa.field("uri", pa.string()),
        pa.field("occurrences", pa.int32()),
        pa.field("similarity", pa.float32()),
        pa.field("inliers", pa.int32()),
        pa.field("query_overlap", pa.float32()),
        pa.field("photo_overlap", pa.float32()),
        # Nine numbers or null; a list of fixed size cannot be null in the Parquet files of today's pyarrow.
        pa.field("transform", pa.list_(pa.float64())),
        pa.field("published_at", _TIME),
        pa.field("caption", pa.string()),
        pa.field("credit", pa.string()),
        pa.field("source", pa.string()),
        pa.field("snapshot", pa.int32(), nullable=False),
        pa.field("encoder", pa.string(), nullable=False),
    ],
    metadata={"firstseen.contract_version": "1"},
)
