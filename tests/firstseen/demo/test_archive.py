"""The demo archive: made offline, accounted for, the same for the same seed."""

import csv

import cv2
import numpy as np
import pytest

from firstseen.demo.archive import (
    CATALOG,
    CATALOG_COLUMNS,
    PHOTOGRAPHS,
    SMALLEST_ARCHIVE,
    write_demo_archive,
    write_demo_queries,
)
from firstseen.demo.edits import EDITS
from firstseen.demo.scenes import SCENES, draw_scene
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos import photo

PHOTOS = SMALLEST_ARCHIVE + 8


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """(folder, what was written) of a small demo archive."""
    pytest.importorskip("skimage", reason="the extra `demo` is not installed")
    pytest.importorskip("sklearn", reason="the extra `demo` is not installed")
    folder = tmp_path_factory.mktemp("demo") / "archive"
    return folder, write_demo_archive(folder, photos=PHOTOS)


def test_every_file_is_accounted_for(archive):
    """The files on disk are those returned; the kinds add up; exactly the broken one cannot be decoded."""
    folder, listed = archive
    assert sorted(item.photo_id for item in listed) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    kinds = [item.kind for item in listed]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "photograph": len(PHOTOGRAPHS),
        "made": 8,
        "duplicate": 2,
        "broken": 1,
    }
    for item in listed:
        data = (folder / item.photo_id).read_bytes()
        if item.kind == "broken":
            with pytest.raises(photo.PhotoError):
                photo.decode(data)
        else:
            assert min(photo.decode(data).pixels.shape[:2]) >= 100


def test_duplicates_are_exact_and_later(archive):
    """A duplicate has the bytes of its original under another path, and a later date."""
    folder, listed = archive
    for copy in (item for item in listed if item.kind == "duplicate"):
        original = next(item for item in listed if item.name == copy.name and item.kind == "photograph")
        assert (folder / copy.photo_id).read_bytes() == (folder / original.photo_id).read_bytes()
        assert copy.photo_id != original.photo_id
        assert copy.published_at > original.published_at


def test_catalog_beside_the_archive_describes_most_photos(archive):
    """The catalog names photos of the archive by the dates they were published on, and misses a few."""
    folder, listed = archive
    with (folder.parent / CATALOG).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CATALOG_COLUMNS
    dates = {item.photo_id: item.published_at.isoformat() for item in listed}
    assert all(dates[row["photo_id"]] == row["published_at"] for row in rows)
    assert len(PHOTOGRAPHS) + 2 <= len(rows) < len(listed)


def test_some_photos_carry_the_date_they_were_taken(archive):
    """EXIF holds a date in some files and not in others."""
    folder, listed = archive
    marked = [b"Exif" in (folder / item.photo_id).read_bytes()[:64] for item in listed]
    assert True in marked
    assert False in marked


def test_same_seed_same_archive(archive, tmp_path):
    """The archive is reproducible to the byte, and another seed gives another."""
    folder, listed = archive
    assert write_demo_archive(tmp_path / "again", photos=PHOTOS) == listed
    assert all(
        (folder / item.photo_id).read_bytes() == (tmp_path / "again" / item.photo_id).read_bytes() for item in listed
    )


def test_queries_are_one_per_edit_and_one_unseen_photo(archive, tmp_path):
    """The names of the queries say what was done to which photo; the unseen one is not in the archive."""
    folder, listed = archive
    queries = write_demo_queries(folder, tmp_path)
    assert len(queries) == len(EDITS) + 1
    assert "overlay-caption-of-china.jpg" in [query.name for query in queries]
    assert "coffee.png" not in [item.name for item in listed]
    known = {(folder / item.photo_id).read_bytes() for item in listed}
    assert all(query.read_bytes() not in known for query in queries)
    assert all(photo.decode(query.read_bytes()).pixels.size for query in queries)


@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_every_scene_is_a_finite_picture_that_is_not_flat(kind, seed):
    """Whatever the generator draws, a scene has its shape and something to see."""
    textures = [np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)]
    picture = kind(np.random.default_rng(seed), 120, 160, textures)
    assert picture.shape == (120, 160, 3)
    assert np.isfinite(picture).all()
    assert picture.std() > 1


def test_scenes_differ():
    """Two scenes of one archive are not near-duplicates of each other."""
    textures = [np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)]
    generator = np.random.default_rng(0)
    small = [
        cv2.resize(draw_scene(generator, textures=textures), (16, 16), interpolation=3).astype(float) for _ in range(30)
    ]
    distances = [np.abs(one - other).mean() for at, one in enumerate(small) for other in small[:at]]
    assert min(distances) > 4


def test_too_small_or_used_folders_are_refused(tmp_path):
    """Nothing is mixed into a folder that holds files, and the photographs need room."""
    with pytest.raises(UsageError, match=r"photos is 3; expected at least \d+"):
        write_demo_archive(tmp_path / "new", photos=3)
    (tmp_path / "mine.jpg").touch()
    with pytest.raises(UsageError, match="holds files already"):
        write_demo_archive(tmp_path)


def test_queries_need_the_archive(tmp_path):
    """Queries of a folder that is no demo archive end with what was expected."""
    with pytest.raises(InputNotFoundError, match=r"no astronaut\.jpg below"):
        write_demo_queries(tmp_path / "empty", tmp_path / "queries")


def test_missing_libraries_are_named(tmp_path, monkeypatch):
    """Without scikit-image the error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "skimage", None)
    with pytest.raises(UsageError, match=r"pip install '\.\[cpu,demo\]'"):
        write_demo_archive(tmp_path / "new", photos=PHOTOS)
