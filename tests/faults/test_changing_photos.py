"""Photos that are replaced while a night reads them: an answer is of one version, and the next night settles which."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foundation.store.files import Store
from pipelines.encode import chunks
from pipelines.encode.job import EncodeResult, encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from tests.builders import add_encoder
from tests.faults.trials import rows_of
from tests.foundation.archives.test_buckets import fill
from tests.nights import Nights, hash_of, make_nights, picture


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """An empty store, and archives beside it that are encoded in milliseconds."""
    return make_nights(tmp_path, monkeypatch)


def night(store: Store, archive: str) -> EncodeResult:
    """Encodes an archive and indexes it."""
    result = encode(EncodeOptions(archive=archive, store=store.uri, chunk_photos=3, features="none"))
    build_index(store)
    return result


def contents_of(store: Store) -> dict[str, tuple[bytes, tuple[float, ...]]]:
    """Returns of each photo that is found its content, and the vector that this is found by."""
    rows = rows_of(store.uri)
    return {photo_id: (content, vector) for content, (vector, photos) in rows.items() for _, photo_id, _ in photos}


def vectors_of(nights: Nights, numbers: range) -> dict[bytes, tuple[float, ...]]:
    """Returns the vectors of pictures, from a store of their own, by their content."""
    other = make_other(nights, "vectors")
    for number in numbers:
        nights.put(f"{number}.jpg", number, archive="all")
    night(other, str(nights.path(".", "all")))
    return dict(contents_of(other).values())


def make_other(nights: Nights, name: str) -> Store:
    """Returns another store, with the same encoder."""
    other = Store(nights.folder / name, create=True)
    add_encoder(other)
    return other


def before_each_chunk(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Does something once the archive is listed, before any photo of a chunk is read."""
    read_chunk = chunks.read_chunk

    def acting(*arguments: Any) -> Any:
        act()
        return read_chunk(*arguments)

    patch.setattr(chunks, "read_chunk", acting)


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_photo_that_is_replaced_between_listing_and_reading(
    nights: Nights, request: pytest.FixtureRequest, place: str
) -> None:
    """Hash and vector are of what was read; the next night sees by the listing that this was another photo."""
    vectors = vectors_of(nights, range(4))
    archive = str(nights.path(".")) if place == "folder" else f"{request.getfixturevalue('bucket')}/archive"

    def write(number: int) -> None:
        if place == "folder":
            nights.put("a.jpg", number)
        else:
            fill(archive, {"a.jpg": picture(number)})

    write(0)
    with pytest.MonkeyPatch.context() as patch:
        before_each_chunk(patch, lambda: write(1))
        assert night(nights.store, archive).accounting.embedded == 1
    found = {"a.jpg": (hash_of(1), vectors[hash_of(1)])}
    assert contents_of(nights.store) == found
    nights.read.clear()
    nights.decoded.clear()
    assert night(nights.store, archive).accounting.unchanged == 1
    assert (nights.read, nights.decoded, contents_of(nights.store)) == (["a.jpg"], [], found)
    assert not night(nights.store, archive).is_new
    with pytest.MonkeyPatch.context() as patch:
        write(2)
        before_each_chunk(patch, lambda: write(3))
        night(nights.store, archive)
    assert contents_of(nights.store) == {"a.jpg": (hash_of(3), vectors[hash_of(3)])}


@pytest.mark.parametrize("is_at_once", [True, False])
def test_a_photo_that_is_written_all_the_time(nights: Nights, is_at_once: bool) -> None:
    """By a rename, each night has one of its versions; by writing into it, one or none; and then the last."""
    vectors = vectors_of(nights, range(2))
    settled = nights.put("settled.jpg", 5)
    path, stop = nights.put("a.jpg", 0), threading.Event()

    def write_on() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            # Another file, or the same one, of which a reader may see the beginning alone.
            target = nights.folder / "next" if is_at_once else path
            target.write_bytes(picture(number % 2))
            os.replace(target, path)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        for _ in range(6):
            night(nights.store, str(nights.path(".")))
            content, vector = contents_of(nights.store).get("a.jpg", (None, None))
            assert vector == vectors[content] if content else not is_at_once
    finally:
        stop.set()
        writer.join()
    path.write_bytes(picture(1))
    night(nights.store, str(nights.path(".")))
    assert contents_of(nights.store)["a.jpg"] == (hash_of(1), vectors[hash_of(1)])
    assert settled.name in contents_of(nights.store)
