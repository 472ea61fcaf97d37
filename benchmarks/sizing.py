"""Computes what an archive of a given size takes, from the figures that `benchmarks.scale` measured.

Everything here is arithmetic over `benchmarks/scale.json`; what is assumed and not measured is a constant with its
reason. docs/scale.md is made of it by `python -m docs.scale`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.scaled.figures import name_of
from pipelines.index.memory import CHANGE_BYTES
from pipelines.index.plan import IndexOptions

RECORD = Path(__file__).with_name("scale.json")
PRICES = Path(__file__).parents[1] / "infra" / "prices.json"
MILLION = 1_000_000
# The most local features that were measured: in trees about as large as those of a full segment.
MOST_FEATURES = 100 * MILLION
# What a machine of the deployment is: like the one that was measured, which `worker_hour` of the prices is of; and one
# that searches, with as many such machines' worth of cores, memory and price.
WORKER_CORES, WORKER_GIGABYTES = 2, 24
SEARCHER_CORES, SEARCHER_GIGABYTES = 8, 96
# Of a searcher's memory, what index files may take: the rest is for the program, queries, and other pages.
INDEX_SHARE = 0.75
# Keypoints are read for the neighbours of each query, anywhere: 8 bytes a feature.
KEYPOINT_BYTES = 8
# Content hashes in memory while they are searched.
HASH_BYTES = 32
# Photos of a chunk, unless `encode` is told otherwise.
CHUNK_PHOTOS = 512
# Measured before: 128 s and 3.0 GB to compare listings of 10 million photos; 1 s to open 10 segments from which
# 100,000 photos were removed. Assumed: what a bucket takes to answer, and how many photos change or go at once.
LISTING_SECONDS, REMOVAL_SECONDS = 128 / (10 * MILLION), 1 / (100_000 * 10)
REQUEST_SECONDS, CHANGED_SHARE = 0.05, 0.01
# A night brings so much of an archive of this age: what ten years have gathered evenly.
NIGHT_SHARE = 1 / 3_650


@dataclass(frozen=True)
class Measured:
    """What one photo, vector, feature or lookup costs, as it was measured; seconds are of the processor, all cores.

    `encode_seconds` are those of one worker with all of its cores. `search_quantiles` are the times of single queries,
    the least first: their shape is what counts.
    """

    encode_seconds: float
    encode_bytes: float
    segment_bytes: float
    vector_build_seconds: float
    feature_build_seconds: float
    features_per_photo: float
    tree_bytes: float
    vector_tree_bytes: float
    vector_seconds_per_million: float
    feature_seconds: float
    lookup_seconds: float
    search_quantiles: tuple[float, ...]

    def search_seconds(self, photos: float) -> float:
        """Returns the processor seconds of searching an index of so many photos for one query, in segments."""
        return photos * (self.features_per_photo * self.feature_seconds + self.vector_seconds_per_million / MILLION)

    @property
    def resident_bytes(self) -> float:
        """Returns what a photo takes of a searcher's memory: trees, keypoints and hashes."""
        return self.features_per_photo * (self.tree_bytes + KEYPOINT_BYTES) + self.vector_tree_bytes + HASH_BYTES


@dataclass(frozen=True)
class Size:
    """What an archive takes: see docs/scale.md; hours are those of one worker."""

    photos: int
    encode_hours: float
    index_hours: float
    night_hours: float
    embeddings_bytes: float
    segments_bytes: float
    resident_bytes: float
    segments: int
    searchers: int
    segments_per_searcher: float
    search_seconds: float
    lookups_per_second: float
    million_lookups_hours: float
    encode_price: float
    store_price_month: float
    searchers_price_month: float
    million_lookups_price: float


@dataclass(frozen=True)
class Strain:
    """What a few steps take in an archive that is too large for them; seconds are of one process, bytes of memory."""

    photos: int
    lost_contents_seconds: float
    known_content_seconds: float
    run_json_bytes: float
    chunks: float
    outcomes_seconds: float
    listing_seconds: float
    hashes_bytes: float
    changes_bytes: float
    removals_seconds: float


def strain(photos: int) -> Strain:
    """Returns what those steps take that grow faster than they should, or in one place."""
    one, segments, chunks = figure("hashes"), photos / IndexOptions().max_segment_rows, photos / CHUNK_PHOTOS
    changed = CHANGED_SHARE * photos
    return Strain(
        photos=photos,
        lost_contents_seconds=photos / one["block"] * segments * one["block_seconds"],
        known_content_seconds=segments * one["one_seconds"],
        run_json_bytes=chunks * one["shard_bytes"],
        chunks=chunks,
        outcomes_seconds=chunks * REQUEST_SECONDS,
        listing_seconds=photos * LISTING_SECONDS,
        hashes_bytes=photos * HASH_BYTES,
        changes_bytes=changed * CHANGE_BYTES,
        removals_seconds=changed * segments * REMOVAL_SECONDS,
    )


@cache
def read_figures() -> dict[str, dict[str, Any]]:
    """Returns the figures that were recorded."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def figure(step: str, **told: Any) -> dict[str, Any]:
    """Returns the figures of one step that were recorded."""
    return read_figures()[name_of(step, told)]


def read_measured() -> Measured:
    """Returns what was measured, for what an archive is sized by."""
    few, many = (figure("encode", photos=photos, side=1_200, features="local") for photos in (500, 2_500))
    stored = figure("index", photos=2_500, side=1_200, features="local")
    vectors = figure("build", first=0, rows=MILLION)
    query = figure("search", rows=MILLION, segment_rows=MILLION)
    made, trees, votes = (figure(step, features=MOST_FEATURES) for step in ("features", "trees", "vote"))
    return Measured(
        # Without what starting up takes; by the processor's clock, since both cores are busy all the time.
        encode_seconds=(many["processor_seconds"] - few["processor_seconds"]) / 2_000 / WORKER_CORES,
        encode_bytes=many["disk_bytes"] / 2_500,
        segment_bytes=stored["disk_bytes"] / 2_500,
        vector_build_seconds=vectors["processor_seconds"] / MILLION,
        feature_build_seconds=trees["processor_seconds"] / made["features"],
        features_per_photo=made["features"] / made["photos"],
        tree_bytes=trees["tree_bytes"] / made["features"],
        # Four bits for two of the numbers, and which leaf it is in.
        vector_tree_bytes=128 / 4 + 4,
        vector_seconds_per_million=query["processor_ms_in_batches"] / 1e3,
        feature_seconds=votes["processor_ms"] / 1e3 / made["features"],
        lookup_seconds=figure("lookup", photos=2_500, side=1_200, queries=200)["processor_ms"] / 1e3,
        search_quantiles=tuple(votes["processor_ms_quantiles"]),
    )


def size(photos: int, measured: Measured, prices: Mapping[str, Any]) -> Size:
    """Returns what an archive of so many photos takes."""
    index = photos * (measured.vector_build_seconds + measured.features_per_photo * measured.feature_build_seconds)
    index_hours = index / WORKER_CORES / 3_600
    encode_hours = photos * measured.encode_seconds / 3_600
    resident = photos * measured.resident_bytes
    searchers = -(-resident // (SEARCHER_GIGABYTES * 1e9 * INDEX_SHARE))
    segments = -(-photos // IndexOptions().max_segment_rows)
    search = measured.search_seconds(photos)
    lookup = search + measured.lookup_seconds
    stored = photos * (measured.encode_bytes + measured.segment_bytes)
    worker_hour = prices["worker_hour"]
    searcher_hour = worker_hour * SEARCHER_CORES / WORKER_CORES
    million_hours = MILLION * lookup / WORKER_CORES / 3_600
    return Size(
        photos=photos,
        encode_hours=encode_hours,
        index_hours=index_hours,
        night_hours=NIGHT_SHARE * (encode_hours + index_hours),
        embeddings_bytes=photos * measured.encode_bytes,
        segments_bytes=photos * measured.segment_bytes,
        resident_bytes=resident,
        segments=segments,
        searchers=int(searchers),
        segments_per_searcher=segments / searchers,
        search_seconds=search,
        lookups_per_second=searchers * SEARCHER_CORES / lookup,
        million_lookups_hours=million_hours,
        encode_price=(encode_hours + index_hours) * worker_hour,
        store_price_month=stored / 1e9 * prices["storage_gigabyte_month"],
        searchers_price_month=searchers * searcher_hour * 730,
        million_lookups_price=million_hours * worker_hour,
    )
