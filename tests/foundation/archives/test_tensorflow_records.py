"""TFRecord files of photos: listed by lengths, read one by one, refused when damaged; TensorFlow is not needed."""

import pickle
import struct
from pathlib import Path

import google_crc32c
import obstore
import pytest
from obstore.store import from_url

from foundation.archives import photos, places
from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.errors import InputNotFoundError
from foundation.photos.photo import PhotoTooLargeError
from tests.foundation.archives.test_tensorflow_examples import example


def checksum(data: bytes) -> bytes:
    """Returns the checksum of TFRecord files, as its definition has it."""
    value = google_crc32c.value(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def records(*data: bytes) -> bytes:
    """Returns a TFRecord file of these records."""
    lengths = [struct.pack("<Q", len(one)) for one in data]
    return b"".join(length + checksum(length) + one + checksum(one) for length, one in zip(lengths, data, strict=True))


def entries_of(path) -> list[photos.Entry]:
    """The listing of an archive."""
    return list(open_archive(str(path)).list())


THREE = [example({"image/encoded": f"photo {n}".encode(), "image/class/text": b"cat", "n": n}) for n in range(3)]


@pytest.mark.parametrize("name", ["a.tfrecord", "a.TFRecords", "train.tfrecord-00000-of-00010", "b.tfrecords-1-of-2"])
def test_photos_are_listed_and_read_one_by_one(tmp_path: Path, name: str):
    """In any order, with the class that a record names."""
    (tmp_path / name).write_bytes(records(*THREE))
    entries = entries_of(tmp_path / name)
    assert [entry.photo_id for entry in entries] == [f"{name}#{number}" for number in range(3)]
    assert [entry.size_bytes for entry in entries] == [-1] * 3
    backwards = list(read_photos(entry.uri for entry in reversed(entries)))
    assert [photo.read() for photo in backwards] == [b"photo 2", b"photo 1", b"photo 0"]
    assert {photo.label() for photo in backwards} == {"cat"}
    assert read(entries[1].uri) == b"photo 1"


def test_another_process_reads_a_record_without_a_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It would be a request to a bucket for each; a file that is gone is an error there too."""
    (tmp_path / "a.tfrecord").write_bytes(records(*THREE))
    uris = [entry.uri for entry in entries_of(tmp_path / "a.tfrecord")]
    sent = [pickle.dumps(photo.read) for photo in read_photos([*uris, "file:///nowhere.tfrecord#0-0-9"])]
    with monkeypatch.context() as patch:
        patch.setattr(places, "look_up", lambda *_: pytest.fail("it was looked up"))
        read = [pickle.loads(one) for one in sent[:3]]  # noqa: S301
        assert [one() for one in read] == [b"photo 0", b"photo 1", b"photo 2"]
    with pytest.raises(UnreadablePhotoError, match="nowhere"):
        pickle.loads(sent[3])()  # noqa: S301


def test_what_tensorflow_writes_is_an_archive(tmp_path: Path):
    """The checksums are those of its writer."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for data in THREE:
            writer.write(data)
    assert (tmp_path / "a.tfrecord").read_bytes() == records(*THREE)


def test_files_lie_beside_others_in_a_folder(tmp_path: Path):
    """As TensorFlow Datasets writes them: what describes them is listed too, and becomes a reject."""
    (tmp_path / "a.tfrecord-00000-of-00002").write_bytes(records(*THREE[:2]))
    (tmp_path / "a.tfrecord-00001-of-00002").write_bytes(records(THREE[2]))
    (tmp_path / "features.json").write_text("{}")
    (tmp_path / "empty.tfrecord").write_bytes(b"")
    found = [entry.photo_id for entry in entries_of(tmp_path)]
    assert found == [
        "a.tfrecord-00000-of-00002#0",
        "a.tfrecord-00000-of-00002#1",
        "a.tfrecord-00001-of-00002#0",
        "features.json",
    ]


def test_records_in_a_bucket(bucket: str):
    """They are read by ranged requests."""
    obstore.put(from_url(bucket), "a.tfrecord", records(*THREE))
    assert [photo.read() for photo in read_photos(entry.uri for entry in entries_of(bucket))] == [
        b"photo 0",
        b"photo 1",
        b"photo 2",
    ]


def test_a_file_written_anew_changes_only_what_is_new(tmp_path: Path):
    """The etag of a record is that of its bytes, wherever they lie now."""
    path = tmp_path / "a.tfrecord"
    path.write_bytes(records(*THREE))
    before = entries_of(path)
    path.write_bytes(records(THREE[0], example({"image": b"another photo"}), THREE[2]))
    after = entries_of(path)
    assert [old.etag == new.etag for old, new in zip(before, after, strict=True)] == [True, False, True]
    first, second, third = read_photos(entry.uri for entry in before)
    assert first.read() == b"photo 0"
    for photo in (second, third):
        with pytest.raises(UnreadablePhotoError, match=r"a\.tfrecord#[12] cannot be read: .*has changed since"):
            photo.read()


@pytest.mark.parametrize("name", ["image", "jpeg", "image_raw", "encoded"])
def test_the_photo_has_one_of_some_names(tmp_path: Path, name: str):
    """A thumbnail beside it does not confuse, nor does a number of that name."""
    (tmp_path / "a.tfrecord").write_bytes(records(example({"thumb": b"t", "image/encoded": 5, name: b"photo"})))
    (entry,) = entries_of(tmp_path)
    assert read(entry.uri) == b"photo"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            example({"text": b"x", "n": 1}),
            "has no photo; expected a feature of bytes called one of image/encoded, .*: n, text",
        ),
        (b"", "has no photo; .* its features: none"),
        (b"no example", "cannot be read: a field of"),
    ],
)
def test_a_record_without_a_photo_is_a_reject(tmp_path: Path, data: bytes, message: str):
    """The records beside it are read."""
    (tmp_path / "a.tfrecord").write_bytes(records(data, THREE[0]))
    bad, good = read_photos(entry.uri for entry in entries_of(tmp_path))
    with pytest.raises(UnreadablePhotoError, match=rf"a\.tfrecord#0 {message}"):
        bad.read()
    assert good.read() == b"photo 0"


WHOLE = records(*THREE)
LENGTH = len(records(THREE[0]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WHOLE[:5], "cut off or damaged at byte 0"),
        (WHOLE[: LENGTH + 11], f"cut off or damaged at byte {LENGTH}"),
        (WHOLE[: LENGTH + 20], f"cut off in the record at byte {LENGTH}"),
        (WHOLE[: 2 * LENGTH - 2], f"cut off in the record at byte {LENGTH}"),
        (WHOLE[:LENGTH] + b"\1" + WHOLE[LENGTH + 1 :], f"cut off or damaged at byte {LENGTH}"),
        (b"PAR1 is another kind of file", "cut off or damaged at byte 0"),
        (struct.pack("<Q", 2**64 - 1) + checksum(struct.pack("<Q", 2**64 - 1)), "expected an uncompressed TFRecord"),
        (struct.pack("<Q", 2**62) + checksum(struct.pack("<Q", 2**62)), "expected an uncompressed TFRecord"),
        (b"\x1f\x8b\x08\0", "compressed with gzip.*unpack it with gunzip"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes, message: str):
    """Cut anywhere: no photo is left out silently."""
    (tmp_path / "a.tfrecord").write_bytes(data)
    with pytest.raises(InputNotFoundError, match=rf"cannot read .*a\.tfrecord: .*{message}"):
        entries_of(tmp_path)


def test_a_file_that_says_to_be_compressed_is_refused(tmp_path: Path):
    """Its name is known, so that it is no mere reject among ten thousand."""
    (tmp_path / "a.tfrecord.gz").write_bytes(b"\x1f\x8b\x08\0")
    with pytest.raises(InputNotFoundError, match="unpack it with gunzip"):
        entries_of(tmp_path)


def test_a_flipped_bit_is_a_reject(tmp_path: Path):
    """Of the data the listing reads nothing; whoever reads the photo sees that it is not what was written."""
    data = bytearray(WHOLE)
    data[LENGTH + 20] ^= 1
    (tmp_path / "a.tfrecord").write_bytes(data)
    photo = list(read_photos(entry.uri for entry in entries_of(tmp_path)))[1]
    with pytest.raises(UnreadablePhotoError, match=r"a\.tfrecord#1 cannot be read: its checksum does not fit"):
        photo.read()


@pytest.mark.parametrize("part", ["0", "x", "0-5-5", "0-0-9999999", "0-999999999999-5", "0--1-5", "0-0-" + "9" * 18])
def test_a_record_that_is_not_there_is_a_reject(tmp_path: Path, part: str):
    """A name that no listing gave is refused in words."""
    (tmp_path / "a.tfrecord").write_bytes(WHOLE)
    with pytest.raises((UnreadablePhotoError, PhotoTooLargeError)):
        read(f"{(tmp_path / 'a.tfrecord').as_uri()}#{part}")


def test_huge_photos_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The URI says how large a record is."""
    (tmp_path / "a.tfrecord").write_bytes(WHOLE)
    monkeypatch.setattr(photos, "MAX_BYTES", 10)
    with pytest.raises(PhotoTooLargeError, match=r"a\.tfrecord#0 has \d+ bytes; expected at most 10"):
        read(entries_of(tmp_path)[0].uri)


def test_tensorflow_is_not_imported(tmp_path: Path, run_python):
    """It takes seconds, and is not installed where photos are only looked up."""
    (tmp_path / "a.tfrecord").write_bytes(WHOLE)
    code = (
        "import sys; from foundation.archives.archive import open_archive, read\n"
        f"print([read(entry.uri) for entry in open_archive({str(tmp_path)!r}).list()], 'tensorflow' in sys.modules)"
    )
    assert run_python(code).strip() == "[b'photo 0', b'photo 1', b'photo 2'] False"
