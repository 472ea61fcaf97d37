"""The cache of decoded photos: each decoded once, all accounted for, never half there."""

import csv
import io
import os
import tarfile

import numpy as np
import pytest

from foundation.errors import InputNotFoundError, UsageError
from foundation.photos import photo
from tests.photos import jpeg, scene
from training.data import photo_cache
from training.data.photo_cache import cache_photos
from training.data.source import open_source


def cache(folder, tmp_path, **options):
    """The cache of a folder at 16 pixels."""
    return cache_photos(open_source(str(folder)), cache=tmp_path / "cache", **{"size": 16, "channels": 3, **options})


def test_photos_are_those_of_the_decoder(photo_folder, tmp_path):
    """The cache holds what the one decoder gives, in the order of the source."""
    photos = cache(photo_folder, tmp_path).open()
    expected = [photo.decode(file.read_bytes(), size=16).pixels for file in sorted(photo_folder.rglob("*.jpg"))]
    assert photos.dtype == np.uint8
    np.testing.assert_array_equal(photos, expected)


def test_grey_photos_have_one_channel(photo_folder, tmp_path):
    """The number of channels reaches the decoder."""
    assert cache(photo_folder, tmp_path, channels=1).open().shape == (16, 16, 16, 1)


def test_labels_stand_beside_their_photos(tmp_path):
    """A duplicate or a rejected photo takes no label with it; a source that tells none leaves them empty."""
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for name, data in {
            "1.jpg": jpeg(scene(1)), "1.cls": b"cat", "2.jpg": b"broken", "2.cls": b"dog",
            "3.jpg": jpeg(scene(1)), "3.cls": b"cat", "4.jpg": jpeg(scene(4)), "5.jpg": jpeg(scene(5)), "5.cls": b"cow",
        }.items():  # fmt: skip
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    counts = cache(tmp_path / "shard.tar", tmp_path)
    assert (counts.listed, counts.photos, counts.duplicates) == (5, 3, 1)
    assert counts.labels().tolist() == ["cat", "", "cow"]


def test_every_file_is_accounted_for(tmp_path):
    """Rejects are counted by reason, exact duplicates once; listed is the sum."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(jpeg(scene(1)))
    (folder / "c.jpg").write_bytes(jpeg(scene(2)))
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("not a photo at all, but a few words about some")
    os.symlink(folder / "gone.jpg", folder / "dangling.jpg")
    counts = cache(folder, tmp_path)
    assert (counts.listed, counts.photos, counts.duplicates) == (6, 2, 1)
    assert sum(counts.rejects.values()) == 3
    assert counts.rejects["unreadable"] == 1


def test_rejects_are_listed_one_by_one(tmp_path):
    """Who sees a number of photos that were left out can find them, and why; a number stands for each in the source."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a.jpg").touch()
    (folder / "b.jpg").write_bytes(jpeg(scene(1)))
    (folder / "c, d.jpg").write_text("not a photo at all, but a few words about some")
    counts = cache(folder, tmp_path)
    assert counts.rejects_file is not None
    with counts.rejects_file.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header == ["photo_id", "uri", "reason", "detail"]
    assert [(row[0], row[2]) for row in rows] == [("a.jpg", "empty_file"), ("c, d.jpg", "not_a_photo")]
    assert rows[0][1] == (folder / "a.jpg").as_uri()
    assert all(row[3] for row in rows)
    assert cache(folder, tmp_path).rejects_file == counts.rejects_file


def test_without_rejects_there_is_no_list(photo_folder, tmp_path):
    """An empty file would make people look."""
    counts = cache(photo_folder, tmp_path)
    assert counts.rejects_file is None
    assert not (counts.directory / photo_cache.REJECTS).exists()


def test_a_source_whose_name_is_no_text_is_listed_too(tmp_path):
    """File names are bytes: the URI of the list leads to the same ones."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "a.jpg").touch()
    (folder / "b.jpg").write_bytes(jpeg(scene(1)))
    rejects = cache(folder, tmp_path).rejects_file
    assert rejects is not None
    assert b"/caf%E9/a.jpg" in rejects.read_bytes()


def test_a_cache_of_before_there_were_lists_is_used(tmp_path):
    """Decoding a large archive again would cost more than the list is worth."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a.jpg").touch()
    (folder / "b.jpg").write_bytes(jpeg(scene(1)))
    first = cache(folder, tmp_path)
    assert first.rejects_file is not None
    first.rejects_file.unlink()
    again = cache(folder, tmp_path, on_photos=lambda *_: pytest.fail("a photo was decoded"))
    assert (again.rejects, again.rejects_file) == (first.rejects, None)


def test_nothing_is_decoded_twice(photo_folder, tmp_path, monkeypatch):
    """A finished cache is used as it is; other settings make another."""
    first = cache(photo_folder, tmp_path)
    monkeypatch.setattr(photo_cache.photo, "decode", None)
    assert cache(photo_folder, tmp_path) == first
    with pytest.raises(TypeError):
        cache(photo_folder, tmp_path, size=17)


def test_interrupted_cache_leaves_nothing_behind(photo_folder, tmp_path):
    """An interruption in the middle removes the partial cache, and the next call starts anew."""

    def interrupt(done, _listed, _rejected):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache(photo_folder, tmp_path, on_photos=interrupt)
    assert list((tmp_path / "cache").iterdir()) == []
    assert cache(photo_folder, tmp_path).photos == 16


def test_a_sample_is_drawn_from_everywhere_by_the_seed(photo_folder, tmp_path):
    """`max_photos` takes that many, the same ones for the same seed, and not simply the first."""
    chosen = cache(photo_folder, tmp_path, max_photos=4, seed=1).open()
    everything = cache(photo_folder, tmp_path).open()
    assert len(chosen) == 4
    np.testing.assert_array_equal(chosen, cache(photo_folder, tmp_path / "again", max_photos=4, seed=1).open())
    assert not np.array_equal(chosen, everything[:4])


def test_progress_counts_every_file(photo_folder, tmp_path):
    """The callback hears of each file once, in order."""
    heard = []
    cache(photo_folder, tmp_path, on_photos=lambda *counts: heard.append(counts))
    assert heard == [(done, 16, 0) for done in range(1, 17)]


def test_no_usable_photo_is_an_error_with_the_reasons(tmp_path):
    """A folder without photos ends with what was found instead."""
    (tmp_path / "archive").mkdir()
    with pytest.raises(InputNotFoundError, match="no photos in the source"):
        cache(tmp_path / "archive", tmp_path)
    (tmp_path / "archive" / "notes.txt").write_text("not a photo at all, but a few words about some")
    with pytest.raises(InputNotFoundError, match=r"among the 1 files of .*\(1\); expected images"):
        cache(tmp_path / "archive", tmp_path)


def test_max_photos_below_one_is_refused(photo_folder, tmp_path):
    """Nothing cannot be trained on."""
    with pytest.raises(UsageError, match="--max-photos is 0; expected at least 1"):
        cache(photo_folder, tmp_path, max_photos=0)


@pytest.mark.parametrize("name", ["photos.npy", "labels.npy", "counts.json"])
@pytest.mark.parametrize("keep", [0, 20])
def test_a_torn_cache_is_decoded_again(photo_folder, tmp_path, name, keep):
    """A file that was cut short mends itself: nothing has to be deleted by hand."""
    first = cache(photo_folder, tmp_path)
    expected = np.array(first.open())
    torn = first.directory / name
    torn.write_bytes(torn.read_bytes()[:keep])
    np.testing.assert_array_equal(cache(photo_folder, tmp_path).open(), expected)


@pytest.mark.parametrize(
    "counts", ['{"photos": 16}', "[]", '{"listed": 1, "photos": 1, "duplicates": 0, "rejects": {}, "x": 1}']
)
def test_counts_that_say_something_else_are_made_again(photo_folder, tmp_path, counts):
    """A cache that another program wrote is not half used."""
    first = cache(photo_folder, tmp_path)
    (first.directory / "counts.json").write_text(counts)
    assert cache(photo_folder, tmp_path) == first


def test_photos_of_another_shape_are_made_again(photo_folder, tmp_path):
    """What is not what the encoder takes is never trained on."""
    first = cache(photo_folder, tmp_path)
    np.save(first.directory / "photos.npy", np.zeros((16, 8, 8, 3), np.uint8))
    assert cache(photo_folder, tmp_path).open().shape == (16, 16, 16, 3)


def test_seeds_share_a_cache_unless_they_draw(photo_folder, tmp_path):
    """The whole source is the same whatever the seed; a sample of it is not."""
    assert cache(photo_folder, tmp_path, seed=1) == cache(photo_folder, tmp_path, seed=2)
    drawn = [cache(photo_folder, tmp_path, seed=seed, max_photos=4).directory for seed in (1, 2)]
    assert drawn[0] != drawn[1]
