"""Nights whose archive and store lie in a bucket that fails for a moment, again and again: they come to the same."""

from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction, read_retractions
from pipelines.encode.plan import EncodeOptions
from pipelines.index.plan import IndexOptions
from pipelines.reindex.job import ReindexResult, reindex
from tests.builders import add_encoder
from tests.faults.trials import rows_of
from tests.faulty import LOST, Faults, faulty_s3
from tests.foundation.archives.test_buckets import fill
from tests.nights import Nights, make_nights, picture

SHARE = 0.05
KINDS = ("503", "429", "reset", "cut", LOST)
PHOTOS = 20


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Encoding takes milliseconds; what is stored here is not used."""
    return make_nights(tmp_path, monkeypatch)


@pytest.fixture
def faults(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """The faults of all requests to the bucket from now on: none, until the test says so."""
    with faulty_s3(monkeypatch) as planned:
        yield planned


def again(archive: str, store: str) -> ReindexResult:
    """Re-indexes an archive, in chunks of three photos."""
    encoding = EncodeOptions(archive=archive, store=store, chunk_photos=3, batch_size=2, features="none")
    return reindex(encoding, IndexOptions())


def change(archive: str) -> None:
    """Does what a day does: photos come, one changes, one moves and one goes."""
    fill(archive, {f"new/{number}.jpg": picture(number) for number in range(PHOTOS, PHOTOS + 4)})
    fill(archive, {"1.jpg": picture(50)})
    opened = from_url(archive)
    obstore.rename(opened, "2.jpg", "moved.jpg")
    obstore.delete(opened, "3.jpg")


def test_nights_amid_faults_come_to_what_undisturbed_ones_do(nights: Nights, bucket: str, faults: Faults) -> None:
    """Every twentieth request is told too busy, reset, cut or done without an answer: no row is another one."""
    archive, whole, spoilt = (f"{bucket}/{name}" for name in ("archive", "whole", "spoilt"))
    fill(archive, {f"{number}.jpg": picture(number) for number in range(PHOTOS)})
    for store in (whole, spoilt):
        add_encoder(Store(store))
    faults.kinds = KINDS
    for night in range(2):
        expected = again(archive, whole).encoded.accounting
        faults.share = SHARE
        assert again(archive, spoilt).encoded.accounting == expected
        faults.share = 0.0
        assert rows_of(spoilt) == rows_of(whole)
        if night == 0:
            change(archive)
    assert len(rows_of(whole)) == PHOTOS + 3
    assert set(faults.made) == set(KINDS), f"{faults.made} in {faults.requests} requests"


@pytest.mark.parametrize("kind", [LOST, "cut"])
def test_what_is_created_is_created_once(bucket: str, faults: Faults, kind: str) -> None:
    """A bucket did what it was asked, and nobody heard: asked again, the one who created it is told so, nobody else."""
    store = Store(bucket)
    faults.share, faults.kinds, faults.methods = 0.3, (kind,), ("PUT",)
    assert all(store.create(f"{number}.json", b"mine") for number in range(20))
    assert not any(store.create(f"{number}.json", b"another's") for number in range(20))
    assert all(store.read(f"{number}.json") == b"mine" for number in range(20))


def test_an_entry_of_a_list_is_written_once(bucket: str, faults: Faults) -> None:
    """A withdrawal that stood there twice would stay in force when the one that the user knows of is taken back."""
    store = Store(bucket)
    photo = RetractedPhoto(archive="s3://a", photo_id="1.jpg", content_sha256="0" * 64)
    faults.share, faults.kinds, faults.methods = 0.3, (LOST,), ("PUT",)
    assert [add_retraction(store, [photo], why=str(number)).number for number in range(8)] == list(range(1, 9))
    assert len(read_retractions(store)) == 8
    assert faults.made[LOST]


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_of_a_store_is_tried_again(bucket: str, faults: Faults, tmp_path: Path, kind: str) -> None:
    """Whatever the fault, a third of the requests may have it."""
    store = Store(bucket)
    (tmp_path / "file").write_bytes(bytes(1_000))
    names = [f"{number:02d}.json" for number in range(12)]
    faults.share, faults.kinds = 0.3, (kind,)
    for name in names:
        store.upload(f"a/{name}", tmp_path / "file")
        assert store.exists(f"a/{name}")
        assert store.measure(f"a/{name}")[0] == 1_000
        assert store.sizes("a")[name] == 1_000
        assert name in store.files("a")
        assert store.directories("") == ["a"]
    assert [file.path for file in store.walk()] == [f"a/{name}" for name in names]
    for name in names:
        store.delete([f"a/{name}"])
    assert store.walk() == []
    assert faults.made[kind]


@pytest.mark.parametrize("kind", [LOST, "cut"])
def test_a_large_file_is_whole_though_nobody_heard_so(bucket: str, faults: Faults, tmp_path: Path, kind: str) -> None:
    """It goes up in parts, and to ask twice that they be one is an error: the parts are gone."""
    store = Store(bucket)
    (tmp_path / "large").write_bytes(bytes(12 * 2**20))
    faults.share, faults.kinds, faults.methods = 0.5, (kind,), ("POST",)
    for number in range(4):
        store.upload(f"{number}", tmp_path / "large")
    assert store.sizes("") == {f"{number}": 12 * 2**20 for number in range(4)}
    assert faults.made[kind]
