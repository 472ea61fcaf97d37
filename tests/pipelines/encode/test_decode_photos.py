"""Decoding rows of a listing: every photo comes out once, decoded, known or as a reject; a defect names its photo."""

import hashlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.archives.photos import EncodedPhoto, UnreadablePhotoError, unreadable
from foundation.errors import TemporaryError
from foundation.photos import photo
from foundation.photos.decoder_child import Reading
from foundation.photos.decoder_processes import DecoderProcesses
from pipelines.encode import decode_photos
from pipelines.encode.decode_content import DecodeSettings
from pipelines.encode.decode_photos import (
    Decoded,
    DecodedPhoto,
    KnownPhoto,
    Reject,
    batches_of,
    decode_row,
    decode_rows,
    occurrence_of,
)
from pipelines.encode.local_columns import local_columns
from tests.builders import content, day
from tests.photos import jpeg, noise, scene
from tests.pipelines.encode import hostile_decoder

ROW = {
    "photo_id": "a.jpg",
    "uri": "file:///a.jpg",
    "published_at": day(3),
    "captured_at": None,
    "sidecar_uri": None,
    "caption": None,
    "credit": "Agency",
    "source": "wire",
}


def decoded(name: object) -> DecodedPhoto:
    """A decoded photo of that name."""
    return DecodedPhoto({"photo_id": str(name)}, np.zeros((2, 2, 3), np.uint8), 1)


def reject(name: object) -> Reject:
    """A reject of that name."""
    return Reject("truncated", f"why {name}")


def decode_here(data: bytes, *, row: dict[str, Any] = ROW, **settings: Any) -> Decoded:
    """What becomes of a photo of these bytes, decoded in this process."""
    return decode_row(
        row,
        EncodedPhoto(lambda: data),
        settings=DecodeSettings(**{"size": 8, "channels": 3, **settings}),
        call=lambda function, *arguments: function(*arguments),
    )


def test_a_row_takes_its_columns_from_the_inventory_and_the_file() -> None:
    """Date and source are those of the catalog; size, hash and pixels are the file's."""
    data = jpeg(scene(1))
    found = decode_here(data, channels=1)
    assert isinstance(found, DecodedPhoto)
    assert found.pixels.shape == (8, 8, 1)
    assert found.size_bytes == len(data)
    expected = {"photo_id": "a.jpg", "uri": "file:///a.jpg", "published_at": day(3), "source": "wire", "width": 96}
    assert {key: found.columns[key] for key in expected} == expected
    assert found.columns["content_sha256"] == photo.decode(data).content_sha256
    (occurrence,) = found.columns["occurrences"]
    assert occurrence == occurrence_of(ROW, {})
    assert (occurrence["published_at"], occurrence["credit"]) == (day(3), "Agency")


def test_local_features_are_columns_of_the_row() -> None:
    """They are extracted from the same decode; without asking, no column of them is there."""
    data = jpeg(noise(1))
    found = decode_here(data, with_local_features=True)
    frame = photo.decode(data, size=8, frame_side=400).frame
    assert isinstance(found, DecodedPhoto)
    assert frame is not None
    assert found.columns["keypoints"]
    assert local_columns(frame).items() <= found.columns.items()
    without = decode_here(data)
    assert isinstance(without, DecodedPhoto)
    assert not local_columns(frame).keys() & without.columns.keys()


def test_the_catalog_speaks_in_the_occurrence_and_the_file_in_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither replaces the other: which of them counts is decided where the photo is shown."""
    shown = photo.Photo(
        np.zeros((8, 8, 3), np.uint8), content("a"), 1, 1, "JPEG", photo.PhotoMetadata(caption="photographer's")
    )
    monkeypatch.setattr(photo, "decode", lambda *_, **__: shown)
    found = decode_here(b"", row=ROW | {"caption": "editor's"})
    assert isinstance(found, DecodedPhoto)
    assert found.columns["caption"] == "photographer's"
    assert [one["caption"] for one in found.columns["occurrences"]] == ["editor's"]


def test_a_photo_that_cannot_be_used_is_a_reject_and_no_error() -> None:
    """Unreadable or broken: the reason is a word that is counted, the detail is for people."""
    with DecoderProcesses(1) as decoders:
        gone = unreadable(UnreadablePhotoError("a.jpg cannot be read: gone"))
        unread = decode_row(ROW, gone, settings=DecodeSettings(8, 3), call=decoders.call)
    assert unread == Reject("unreadable", "a.jpg cannot be read: gone")
    broken = decode_here(jpeg(scene(1))[:500])
    assert isinstance(broken, Reject)
    assert broken.reason == "truncated"


def test_an_error_that_is_no_fault_of_the_photo_is_no_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails must end the run, a million rejects would look like a finished one; the photo is named."""

    def failing(*_, **__):
        raise TemporaryError("the disk fails")

    monkeypatch.setattr(photo, "decode", failing)
    with pytest.raises(TemporaryError, match=r"^photo 'a\.jpg': the disk fails$"):
        decode_here(b"")


def test_storage_that_hangs_is_no_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reject stays one in later runs, and the photo may be sound: the run ends, and says which one it was."""
    monkeypatch.setattr(decode_photos, "Reading", partial(Reading, seconds=0.5))
    hanging = EncodedPhoto(partial(time.sleep, 60))
    with DecoderProcesses(1, timeout_seconds=1) as decoders, pytest.raises(TemporaryError, match=r"^photo 'a\.jpg': "):
        decode_row(ROW, hanging, settings=DecodeSettings(8, 3), call=decoders.call)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 7))
def test_batches_hold_everything_in_order_and_a_fixed_number_of_photos(usable: list[bool], batch_size: int) -> None:
    """Only the last batch may hold fewer photos; rejects neither count nor get lost."""
    results = [decoded(number) if good else reject(number) for number, good in enumerate(usable)]
    batches = list(batches_of(results, batch_size))
    assert [one for batch in batches for one in batch] == results
    photos = [sum(isinstance(one, DecodedPhoto) for one in batch) for batch in batches]
    assert photos[:-1] == [batch_size] * (len(photos) - 1 if photos else 0)
    assert all(count <= batch_size for count in photos)


def test_rows_become_photos_and_rejects_in_their_order(archive: Path) -> None:
    """None is left out, and what is wrong with a photo does not change its neighbours."""
    (archive / "2019" / "photo-001.jpg").write_bytes(b"<html>")
    (archive / "2020" / "photo-009.jpg").unlink()
    found = list(decode_archive(archive))
    assert [one.reason if isinstance(one, Reject) else one.columns["photo_id"] for one in found] == [
        "2019/photo-000.jpg",
        "not_a_photo",
        *(f"2019/photo-{number:03}.jpg" for number in range(2, 5)),
        *(f"2020/photo-{number:03}.jpg" for number in range(5, 9)),
        "unreadable",
    ]


def decode_archive(archive: Path) -> Iterator[Decoded]:
    """What becomes of the photos of a folder, as it was when it held ten of them."""
    names = [f"{2019 + number // 5}/photo-{number:03}.jpg" for number in range(10)]
    rows = [ROW | {"photo_id": name, "uri": (archive / name).as_uri()} for name in names]
    with DecoderProcesses(2) as decoders:
        yield from decode_rows(rows, DecodeSettings(8, 3), decoders=decoders, ahead=4)


def test_a_defect_in_a_decoder_process_names_its_photo(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrives where its result would have stood."""
    monkeypatch.setattr(decode_photos, "decode_content", hostile_decoder.divide_by_zero)
    with pytest.raises(RuntimeError, match=r"^photo '2019/photo-000\.jpg': ZeroDivisionError: division by zero$"):
        next(decode_archive(archive))


def test_a_known_content_is_not_decoded(tmp_path: Path) -> None:
    """Its digest comes back, whichever of the files holds it; any other photo is decoded."""
    photos = [jpeg(scene(number)) for number in range(5)]
    digests = sorted(hashlib.sha256(data).digest() for data in photos[1:])
    # A digest that ends with a zero is one that NumPy would cut off.
    files = (tmp_path / "none.npy", tmp_path / "a.npy", tmp_path / "b.npy")
    for file, contents in zip(files, ([], digests[:1], [*digests[1:], b"\xff" * 31 + b"\0"]), strict=True):
        np.save(file, np.array(contents, "S32"))
    new, *known = [decode_here(data, known=files) for data in photos]
    assert isinstance(new, DecodedPhoto)
    assert known == [KnownPhoto(hashlib.sha256(data).digest(), len(data)) for data in photos[1:]]


def test_a_withdrawn_content_is_a_reject(tmp_path: Path) -> None:
    """Also when it is known: whoever withdrew it wants it nowhere."""
    data = jpeg(scene(1))
    np.save(tmp_path / "hashes.npy", np.array([hashlib.sha256(data).digest()], "S32"))
    files = (tmp_path / "hashes.npy",)
    found = decode_here(data, known=files, withdrawn=files)
    assert isinstance(found, Reject)
    assert found.reason == "retracted"
    assert isinstance(decode_here(jpeg(scene(2)), withdrawn=files), DecodedPhoto)
