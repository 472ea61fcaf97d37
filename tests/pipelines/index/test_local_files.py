"""Local features of a segment: each row's are its own photo's, whatever the order of shards and duplicates."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.segments import (
    LOCAL_DESCRIPTORS,
    LOCAL_FILES,
    LOCAL_FRAMES,
    LOCAL_KEYPOINTS,
    LOCAL_STARTS,
    LOCAL_THUMBNAIL_STARTS,
    LOCAL_THUMBNAILS,
    PHOTOS,
)
from pipelines.index.collapse import collapse
from pipelines.index.local_files import LocalFiles, write_local_files
from pipelines.index.plan import ShardReference
from pipelines.index.read_shards import read_shards
from tests.builders import DIMENSION, ENCODER_DIGEST, content, local_columns, photo_columns, shard_table, write_shard


def photo_of(name: int, features: int) -> dict:
    """Returns a row of the content `name`; its features depend on the content alone."""
    local = local_columns(features, seed=name, thumbnail=b"T" * (name % 3) + str(name).encode())
    return photo_columns(str(name), content_sha256=content(name)) | local


def shard_of(store: Store, photos: list[dict], features: str = "local") -> ShardReference:
    """Writes a shard, with the photos' local features or without."""
    return replace(write_shard(store, shard_table(photos, features=features)), features=features)


def write(folder: Path, store: Store, *shards: ShardReference) -> tuple[LocalFiles, pa.Table]:
    """Writes the files of a segment of these shards; returns what was written, and the segment's photos."""
    (folder / "parts").mkdir()
    read = read_shards(store, shards, folder / "parts", dimension=DIMENSION, encoder_digest=ENCODER_DIGEST)
    nothing = np.zeros(len(read.vectors), bool)
    rows = collapse(read, folder / PHOTOS, changes={}, left_out=nothing)
    written = write_local_files(folder, store, shards, sizes=read.local, rows=rows.rows, encoder_digest=ENCODER_DIGEST)
    return written, parquet.read_table(folder / PHOTOS)


def stored(folder: Path, row: int) -> dict:
    """Returns the columns of one row as a reader finds them in the files."""
    starts, thumbnails = np.load(folder / LOCAL_STARTS), np.load(folder / LOCAL_THUMBNAIL_STARTS)
    place, width_height = slice(*starts[row : row + 2]), np.load(folder / LOCAL_FRAMES)[row]
    return {
        "frame_width": width_height[0],
        "frame_height": width_height[1],
        "keypoints": np.load(folder / LOCAL_KEYPOINTS)[place].tobytes(),
        "descriptors": np.load(folder / LOCAL_DESCRIPTORS)[place].tobytes(),
        "thumbnail": (folder / LOCAL_THUMBNAILS).read_bytes()[slice(*thumbnails[row : row + 2])],
    }


NOTHING = {"frame_width": 0, "frame_height": 0, "keypoints": b"", "descriptors": b"", "thumbnail": b""}
# Rows as (content, features kept), in shards as (with features, rows).
rows = st.tuples(st.integers(0, 8), st.integers(0, 3))
shards = st.lists(st.tuples(st.booleans(), st.lists(rows, min_size=1, max_size=5)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(shards)
def test_each_row_has_the_features_of_its_photo(
    tmp_path_factory: pytest.TempPathFactory, shards: list[tuple[bool, list[tuple[int, int]]]]
):
    """Shards with and without features mixed, and duplicates across them: a naive lookup by content agrees."""
    folder = tmp_path_factory.mktemp("local")
    store = Store(folder / "store", create=True)
    number = {name: features for _, photos in shards for name, features in photos}
    references = [
        shard_of(store, [photo_of(name, number[name]) for name, _ in photos], "local" if kept else "none")
        for kept, photos in shards
    ]
    written, photos = write(folder, store, *references)
    kept_names = {name for kept, photos in shards if kept for name, _ in photos}
    for row, hash_ in enumerate(photos["content_sha256"].to_pylist()):
        name = next(name for name in number if content(name) == hash_)
        expected = photo_of(name, number[name]) if name in kept_names else NOTHING
        assert stored(folder, row) == {key: expected[key] for key in NOTHING}
    assert written.rows == len(kept_names)
    assert len(written.descriptors) == sum(number[name] for name in kept_names)


def test_the_files_are_those_of_the_contract(tmp_path: Path):
    """Names, shapes and dtypes, mapped as a reader would."""
    store = Store(tmp_path / "store", create=True)
    write(tmp_path, store, shard_of(store, [photo_of(1, 5), photo_of(2, 7)]))
    assert {str(path.relative_to(tmp_path)) for path in (tmp_path / "local").iterdir()} == LOCAL_FILES
    arrays = {name: np.load(tmp_path / name, mmap_mode="r") for name in LOCAL_FILES if name.endswith(".npy")}
    assert {name: (str(one.dtype), one.shape) for name, one in arrays.items()} == {
        LOCAL_STARTS: ("int64", (3,)),
        LOCAL_FRAMES: ("uint16", (2, 2)),
        LOCAL_KEYPOINTS: ("uint16", (12, 4)),
        LOCAL_DESCRIPTORS: ("int8", (12, 64)),
        LOCAL_THUMBNAIL_STARTS: ("int64", (3,)),
    }


def test_an_archive_without_any_feature_has_empty_files(tmp_path: Path):
    """Blank photos alone: nothing to map, and no error."""
    store = Store(tmp_path / "store", create=True)
    blank = photo_columns("blank") | local_columns(0, thumbnail=b"")
    written, _ = write(tmp_path, store, shard_of(store, [blank]))
    assert (written.rows, written.descriptors.shape) == (1, (0, 64))
    assert np.load(tmp_path / LOCAL_KEYPOINTS).shape == (0, 4)
    assert (tmp_path / LOCAL_THUMBNAILS).read_bytes() == b""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoints": bytes(9)}, "whose keypoints and descriptors are not 8 and 64 bytes"),
        ({"descriptors": bytes(64)}, "whose keypoints and descriptors are not 8 and 64 bytes"),
        ({"frame_width": 1}, "a keypoint outside of its photo's frame"),
    ],
)
def test_damaged_features_are_refused_with_their_shard(tmp_path: Path, changes: dict, message: str):
    """A wrong count would give every later row the features of another photo."""
    store = Store(tmp_path / "store", create=True)
    shard = shard_of(store, [photo_of(1, 5), photo_of(2, 7) | changes])
    with pytest.raises(ArtifactRefusedError, match=rf"^shard {shard.path} holds .*{message}"):
        write(tmp_path, store, shard)


def test_a_shard_without_the_features_that_its_run_names_is_refused(tmp_path: Path):
    """The run says that they were kept: a segment without them would find less, and nobody would see it."""
    store = Store(tmp_path / "store", create=True)
    shard = replace(shard_of(store, [photo_of(1, 5)], "none"), features="local")
    with pytest.raises(ArtifactRefusedError, match=rf"^shard {shard.path} lacks the columns \['descriptors', "):
        write(tmp_path, store, shard)
