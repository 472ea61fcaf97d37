"""Decoding a chunk: every photo comes out once, decoded or as a reject, and an error says which chunk it struck."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from apache_beam.pvalue import TaggedOutput
from hypothesis import given
from hypothesis import strategies as st
from pipelines.encode.inventory import count_chunks, write_inventory

from foundation.archives.archive import open_archive
from foundation.archives.photos import EncodedPhoto, UnreadablePhotoError, unreadable
from foundation.errors import InputNotFoundError, TemporaryError
from foundation.photos import photo
from foundation.photos.decoder_processes import DecoderProcesses
from foundation.photos.shared_decoders import shared_decoders
from foundation.store.files import Store
from pipelines.encode import decode_photos
from pipelines.encode.decode_content import DecodeSettings
from pipelines.encode.decode_photos import (
    DecodeChunk,
    DecodedPhoto,
    KnownPhoto,
    PhotoBatch,
    Reject,
    batches_of,
    decode_row,
)
from pipelines.encode.local_columns import local_columns
from tests.builders import content, day
from tests.foundation.photos.processes import is_running
from tests.photos import jpeg, noise, scene
from tests.pipelines.encode import hostile_decoder

ROW = {
    "photo_id": "a.jpg",
    "uri": "file:///a.jpg",
    "published_at": day(3),
    "caption": None,
    "credit": "Agency",
    "source": "wire",
}


def decoded(name: object) -> DecodedPhoto:
    """A decoded photo of that name."""
    return DecodedPhoto({"photo_id": str(name)}, np.zeros((2, 2, 3), np.uint8), 1)


def reject(name: object) -> Reject:
    """A reject of that name."""
    return Reject(str(name), f"file:///{name}", "truncated", "why")


def decode_here(data: bytes, *, row: dict[str, Any] = ROW, **settings: Any) -> DecodedPhoto | KnownPhoto | Reject:
    """What becomes of a photo of these bytes, decoded in this process."""
    return decode_row(
        row,
        EncodedPhoto(lambda: data),
        settings=DecodeSettings(**{"size": 8, "channels": 3, **settings}),
        call=lambda function, *arguments: function(*arguments),
    )


def test_a_row_takes_its_columns_from_the_inventory_and_the_file() -> None:
    """Dates and words of the catalog stand; size, hash and pixels are the file's."""
    data = jpeg(scene(1))
    found = decode_here(data, channels=1)
    assert isinstance(found, DecodedPhoto)
    assert found.pixels.shape == (8, 8, 1)
    assert found.size_bytes == len(data)
    expected = {"photo_id": "a.jpg", "uri": "file:///a.jpg", "published_at": day(3), "credit": "Agency", "width": 96}
    assert {key: found.columns[key] for key in expected} == expected
    assert found.columns["content_sha256"] == photo.decode(data).content_sha256
    assert found.columns["occurrences"] == [{key: ROW[key] for key in ("photo_id", "uri", "published_at")}]


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


@pytest.mark.parametrize(("catalog", "expected"), [("editor's", "editor's"), (None, "photographer's")])
def test_the_catalog_goes_before_what_the_file_says(
    catalog: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caption in the file fills a gap, and replaces nothing."""
    known = photo.PhotoMetadata(caption="photographer's")
    shown = photo.Photo(np.zeros((8, 8, 3), np.uint8), content("a"), 1, 1, "JPEG", known)
    monkeypatch.setattr(photo, "decode", lambda *_, **__: shown)
    found = decode_here(b"", row=ROW | {"caption": catalog})
    assert isinstance(found, DecodedPhoto)
    assert found.columns["caption"] == expected


def test_a_photo_that_cannot_be_used_is_a_reject_and_no_error() -> None:
    """Unreadable or broken: the reason is a word that is counted, the detail is for people."""
    with DecoderProcesses(1) as decoders:
        gone = unreadable(UnreadablePhotoError("a.jpg cannot be read: gone"))
        unread = decode_row(ROW, gone, settings=DecodeSettings(8, 3), call=decoders.call)
    assert unread == Reject("a.jpg", "file:///a.jpg", "unreadable", "a.jpg cannot be read: gone")
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


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 7))
def test_batches_hold_everything_in_order_and_a_fixed_number_of_photos(usable: list[bool], batch_size: int) -> None:
    """Only the last batch may hold fewer photos; rejects neither count nor get lost."""
    results = [decoded(number) if good else reject(number) for number, good in enumerate(usable)]
    batches = list(batches_of(results, batch_size))
    assert [one for batch in batches for one in batch] == results
    photos = [sum(isinstance(one, DecodedPhoto) for one in batch) for batch in batches]
    assert photos[:-1] == [batch_size] * (len(photos) - 1 if photos else 0)
    assert all(count <= batch_size for count in photos)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the inventory of seven photos and two broken files, four to a chunk."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.jpg").write_bytes(b"<html>" if number in (1, 8) else jpeg(scene(number)))
    store = Store(tmp_path / "store", create=True)
    write_inventory(store, "i.parquet", open_archive(str(folder)), catalog=None, chunk_photos=4)
    return store


@pytest.fixture
def step(store: Store):
    """The step, set up as a worker would."""
    made = DecodeChunk(store, "i.parquet", size=8, channels=3, features="none", batch_size=2, progress_directory=None)
    made.setup()
    yield made
    made.teardown()


def test_a_chunk_becomes_batches_and_rejects(store: Store, step: DecodeChunk) -> None:
    """In the order of the listing, none left out, each batch with its chunk; no batch is empty."""
    assert count_chunks(store, "i.parquet") == 3
    outputs = [list(step.process(chunk)) for chunk in range(3)]
    rejects = [[one.value.photo_id for one in chunk if isinstance(one, TaggedOutput)] for chunk in outputs]
    batches = [[one for one in chunk if isinstance(one, PhotoBatch)] for chunk in outputs]
    assert rejects == [["1.jpg"], [], ["8.jpg"]]
    names = [[[one.columns["photo_id"] for one in batch.photos] for batch in chunk] for chunk in batches]
    assert names == [[["0.jpg", "2.jpg"], ["3.jpg"]], [["4.jpg", "5.jpg"], ["6.jpg", "7.jpg"]], []]
    assert [[batch.chunk for batch in chunk] for chunk in batches] == [[0, 0], [1, 1], []]
    assert batches[0][0].photos[0].pixels.shape == (8, 8, 3)


def test_an_error_names_its_chunk(step: DecodeChunk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand chunks, the one that cannot be read is named; the error stays what it was."""

    def gone(*_):
        raise InputNotFoundError("cannot read i.parquet: it does not exist")

    monkeypatch.setattr(decode_photos, "read_chunk", gone)
    with pytest.raises(InputNotFoundError, match=r"^chunk 2 of i\.parquet: cannot read"):
        list(step.process(2))


def test_an_error_in_a_decoder_process_names_its_chunk_and_photo(
    step: DecodeChunk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrives in the thread of the step, where its result would have stood."""
    monkeypatch.setattr(decode_photos, "decode_content", hostile_decoder.divide_by_zero)
    with pytest.raises(RuntimeError, match=r"^chunk 1 of i\.parquet: .*photo '4\.jpg': ZeroDivisionError: division by"):
        list(step.process(1))


def test_a_known_content_is_not_decoded(tmp_path: Path) -> None:
    """Its digest comes back with the row, from whichever of the files holds it; any other photo is decoded."""
    photos = [jpeg(scene(number)) for number in range(5)]
    digests = sorted(hashlib.sha256(data).digest() for data in photos[1:])
    # A digest that ends with a zero is one that NumPy would cut off.
    files = (tmp_path / "none.npy", tmp_path / "a.npy", tmp_path / "b.npy")
    for file, contents in zip(files, ([], digests[:1], [*digests[1:], b"\xff" * 31 + b"\0"]), strict=True):
        np.save(file, np.array(contents, "S32"))
    new, *known = [decode_here(data, known=files) for data in photos]
    assert isinstance(new, DecodedPhoto)
    assert known == [KnownPhoto(ROW, hashlib.sha256(data).digest(), len(data)) for data in photos[1:]]


def test_a_step_that_was_torn_down_leaves_no_process(store: Store) -> None:
    """A worker sets steps up and tears them down many times; those that are left go on."""
    steps = [
        DecodeChunk(store, "i.parquet", size=8, channels=3, features="none", batch_size=2, progress_directory=None)
        for _ in range(2)
    ]
    for step in steps:
        step.setup()
    list(steps[0].process(0))
    steps[0].teardown()
    assert list(steps[1].process(1))
    with shared_decoders() as decoders:
        child = decoders.call(os.getpid)
        assert is_running(child)
    assert is_running(child)
    steps[1].teardown()
    assert not is_running(child)
