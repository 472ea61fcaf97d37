"""The product runs in a store of its own, and the bytes of its index are counted by what reads them."""

import json
import shutil

import pytest

from evaluation.copies.photos import list_photos
from evaluation.copies.plan import Plan
from evaluation.copies.product import Built, bytes_per_photo, copy_encoder, require_apart
from foundation.encoder import load
from foundation.errors import UsageError
from foundation.store.artifact import FileRecord
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.snapshots import read_snapshot
from tests.builders import segment, snapshot
from tests.photos import write_archive

TABLE = {"photos.parquet": 30, "content_hashes.npy": 10}
LOCAL = {"local/keypoints.npy": 50, "local/descriptors.npy": 60, "local/thumbnails.bin": 70}


def files(**sizes: int) -> dict[str, FileRecord]:
    """Returns the records of files of these sizes."""
    return {name: FileRecord(size, "0" * 64) for name, size in sizes.items()}


@pytest.mark.parametrize(
    ("sizes", "search", "verification"),
    [
        ({"vectors.npy": 100}, 100, 0),
        ({"scann/dataset.npy": 100, "scann/hashed_dataset.npy": 5}, 105, 0),
        ({"vectors.npy": 100, **LOCAL}, 160, 120),
        ({"vectors.npy": 100, "local/scann/hashed_dataset.npy": 20, **LOCAL}, 120, 180),
    ],
    ids=["vectors", "scann", "descriptors searched one by one", "descriptors searched by ScaNN"],
)
def test_bytes_by_what_reads_them(sizes: dict[str, int], search: int, verification: int):
    """Where ScaNN searches the local features, the descriptors themselves are only verified."""
    made = segment(rows=2, files=files(**sizes, **TABLE))
    assert bytes_per_photo([made, segment(rows=3)]) == {
        "search_bytes": search / 5,
        "verification_bytes": verification / 5,
        "table_bytes": 40 / 5,
    }


def test_an_encoder_is_copied_with_its_digest(encoder_store, only_encoder, tmp_path):
    """What runs and segments name is the same encoder, even where its description holds what this program drops."""
    source = Store(shutil.copytree(encoder_store, tmp_path / "source"))
    encoder_id = only_encoder(source)
    path = source.local_root / "encoders" / encoder_id / "encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "of_a_later_program": 1}))
    target = Store(tmp_path / "target", create=True)
    copy_encoder(source, encoder_id, target)
    assert read_spec(target, encoder_id) == read_spec(source, encoder_id)
    assert load(target, encoder_id).digest == read_spec(source, encoder_id)[1]


def test_distractors_that_hold_a_photo_of_the_evaluation_are_refused(live_desk, tmp_path):
    """A stranger among them would be found, and count as a false alarm; other photos pass."""
    store = Store(live_desk.store)
    built = Built(store, [snapshot(1), read_snapshot(store)], [])
    write_archive(tmp_path, photos=3, first_seed=400)
    others = list_photos(tmp_path, tell=lambda _: None)
    require_apart(Plan(archive=others[:1], negatives=others[1:], queries=[]), built)
    held = list_photos(live_desk.archive, tell=lambda _: None)
    with pytest.raises(UsageError, match="--distractors holds 2 of the photos to evaluate with"):
        require_apart(Plan(archive=others, negatives=held[:2], queries=[]), built)
