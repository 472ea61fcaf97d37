"""What killed processes leave in the middle of a write is purged, too, or said to be in the way."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.store import artifact
from foundation.store.lookups import LookupBegun, begin_lookup
from foundation.store.retractions import RetractedPhoto, add_retraction
from pipelines.purge import leftovers
from pipelines.purge.job import purge
from serving.ignore import ignore_photo
from serving.retract import photos_named
from serving.watch import watch_photo
from tests.photos import jpeg, noise
from tests.pipelines.two_nights import Nights

PHOTO = jpeg(noise(100))
OTHER = jpeg(noise(555))


@pytest.fixture
def photos(nights: Nights) -> list[RetractedPhoto]:
    """new.jpg, which is retracted."""
    found = photos_named(nights.opened, ["new.jpg"])
    add_retraction(nights.opened, found, why="a court order")
    return found


def make_old(path: Path) -> Path:
    """Sets the time of a file back, as if it had been written long ago; returns it."""
    os.utime(path, (1e9, 1e9))
    return path


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"{")], ids=["unfinished", "damaged"])
def test_a_watched_query_without_description_that_is_the_photo_goes(
    nights: Nights, photos, damage: Callable[[Path], object]
) -> None:
    """Its bytes tell."""
    watched = watch_photo(nights.opened, "q.jpg", PHOTO, keep_photo=True)
    assert watched
    folder = nights.store / "watched" / watched.watch_id
    damage(folder / "watched.json")
    purge(nights.opened, photos)
    assert not folder.exists()


def test_a_watched_query_of_which_nobody_can_tell_is_named(nights: Nights, photos) -> None:
    """Features and a small frame may be those of the photo; all else is purged by then."""
    watched = watch_photo(nights.opened, "q.jpg", PHOTO)
    assert watched
    (nights.store / "watched" / watched.watch_id / "watched.json").unlink()
    with pytest.raises(ArtifactRefusedError, match=f"`firstseen watch remove {watched.watch_id}`, then run again"):
        purge(nights.opened, photos)


def test_an_empty_directory_is_in_nobodys_way(nights: Nights, photos) -> None:
    """It holds no photo, and there is nothing that `watch remove` could remove."""
    (nights.store / "watched" / "gone").mkdir(parents=True)
    assert purge(nights.opened, photos).contents == 1


def test_an_upload_that_was_cut_off_goes(nights: Nights, photos) -> None:
    """Nobody can read it, and a listing of the store does not even show it; one that is being written is waited for."""
    upload = next(nights.store.glob("segments/*")) / "photos.parquet#1"
    upload.write_bytes(b"PAR1" + bytes.fromhex(photos[0].content_sha256))
    with pytest.raises(TemporaryError, match=r"photos\.parquet#1 first"):
        purge(nights.opened, photos)
    make_old(upload)
    purge(nights.opened, photos)
    assert not upload.exists()


def test_what_a_lookup_left_goes(nights: Nights, photos, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answers may name the photo, and it is looked up again; one that is at work is waited for."""
    begin_lookup(nights.opened, "a", snapshot=1)
    nights.opened.create("lookups/a/answers/00000000", photos[0].photo_id.encode())
    make_lookup_old(nights, hours=48)
    with pytest.raises(TemporaryError, match=r"lookups/a is being written, .* run again when it is done$"):
        purge(nights.opened, photos)
    monkeypatch.setattr(leftovers, "is_at_work", lambda begun: False)
    purge(nights.opened, photos)
    assert nights.opened.directories("lookups") == []


@pytest.mark.parametrize(
    ("host", "hours", "remedy"),
    [
        (socket.gethostname(), 0, "is done"),
        ("elsewhere", 20, "of elsewhere was cut off and no other machine writes .*, after `firstseen gc --grace 0`"),
    ],
)
def test_a_lookup_whose_files_are_young_stays(nights: Nights, photos, host: str, hours: float, remedy: str) -> None:
    """Workers of a launcher that is gone may write still, and nobody can ask a process of another machine."""
    begun = LookupBegun(snapshot=1, host=host, process=2**22 + 1, started="9")
    nights.opened.create("lookups/a/begun-00000001.json", artifact.to_json(begun))
    make_lookup_old(nights, hours=hours)
    with pytest.raises(TemporaryError, match=f"lookups/a is being written, .* run again when it .*{remedy}$"):
        purge(nights.opened, photos)
    assert [file.path for file in nights.opened.walk("lookups")] == ["lookups/a/begun-00000001.json"]
    make_lookup_old(nights, hours=hours + 5)
    purge(nights.opened, photos)
    assert nights.opened.directories("lookups") == []


def make_lookup_old(nights: Nights, *, hours: float) -> None:
    """Sets the times of a lookup's files back."""
    for file in nights.opened.walk("lookups"):
        os.utime(nights.store / file.path, (time.time() - hours * 3_600,) * 2)


def test_a_thumbnail_that_no_entry_names_goes(nights: Nights, photos, tmp_path: Path) -> None:
    """`ignore add` was killed before it wrote the entry; those of other entries stay."""
    for name, data in (("other", OTHER), ("photo", PHOTO)):
        (tmp_path / name).write_bytes(data)
        ignore_photo(nights.opened, str(tmp_path / name), why="a logo")
    (nights.store / "ignored" / "2.json").unlink()
    with pytest.raises(TemporaryError, match=r"ignored/.*\.jpg first"):
        purge(nights.opened, photos)
    for path in nights.store.glob("ignored/*.jpg"):
        make_old(path)
    purge(nights.opened, photos)
    assert len(list(nights.store.glob("ignored/*"))) == 2


@pytest.mark.parametrize("data", [PHOTO, b"saved: %s"], ids=["photo", "hash"])
def test_a_file_of_no_known_kind_is_looked_into(nights: Nights, photos, data: bytes) -> None:
    """Whoever laid it there has to remove it; what has no trace is in nobody's way."""
    (nights.store / "notes.txt").write_bytes(b"new.jpg is gone")
    stray = nights.store / "segments" / "stray"
    stray.write_bytes(data.replace(b"%s", photos[0].content_sha256.encode()))
    with pytest.raises(TemporaryError, match="1 files still have a trace, segments/stray first"):
        purge(nights.opened, photos)
    stray.unlink()
    purge(nights.opened, photos)
