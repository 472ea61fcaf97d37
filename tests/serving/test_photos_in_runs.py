"""Photos that no live segment mentions: what the runs of a store say of them."""

import shutil
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.snapshots import read_snapshot
from serving.photos_in_runs import photos_in_runs
from serving.retract import photos_named
from tests.pipelines.two_nights import nights, two_nights  # noqa: F401, fixtures

GOLDEN = Path(__file__).parents[1] / "golden"


def test_a_run_of_an_older_version_names_contents_in_its_shards(tmp_path: Path) -> None:
    """Equal files share a row there, and are told apart by their occurrences."""
    store = Store(shutil.copytree(GOLDEN / "version-2" / "store", tmp_path / "store"))
    found = photos_in_runs(store, ["2019/again.jpg", "2019/photo-000.jpg"])
    first, second = (one for one in found if one.archive.endswith("/first"))
    assert {first.photo_id, second.photo_id} == {"2019/again.jpg", "2019/photo-000.jpg"}
    assert first.content_sha256 == second.content_sha256


def test_the_last_content_counts(nights) -> None:  # noqa: F811
    """Both nights list the photo, and the second one says what it was exchanged for; an archive may be named."""
    name = "2019/photo-002.jpg"
    assert photos_in_runs(nights.opened, [name]) == photos_named(nights.opened, [name])
    assert photos_in_runs(nights.opened, [name], archive="s3://elsewhere") == []
    assert len(read_snapshot(nights.opened).archives) == 2


def test_a_damaged_inventory_is_named_with_what_mends_it(nights) -> None:  # noqa: F811
    """It may be the one that names the photo."""
    for path in nights.store.glob("embeddings/*/*/inventory*.parquet"):
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactRefusedError, match=r"inventory\.parquet is damaged .*`firstseen repair` mends"):
        photos_in_runs(nights.opened, ["new.jpg"])
