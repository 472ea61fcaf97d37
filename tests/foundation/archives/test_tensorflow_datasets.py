"""TensorFlow Datasets: listed by their description, read as encoded bytes, refused when they cannot be had."""

import pytest

from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.archives.tensorflow_datasets import _name_and_split
from foundation.errors import InputNotFoundError, UsageError


@pytest.fixture
def tfds_dir(shared_data):
    """The folder of prepared TensorFlow Datasets, where there is one."""
    if not (shared_data / "tfds" / "fashion_mnist").is_dir():
        pytest.skip("no prepared TensorFlow Datasets in the shared data")
    return shared_data / "tfds"


def test_records_are_read_encoded(tfds_dir):
    """The train split is the default; photos come as the PNG bytes that our own decoder takes, with their class."""
    entries = list(open_archive("tfds:fashion_mnist", data_dir=tfds_dir).list())
    assert len(entries) == 60_000
    assert entries[2].photo_id == "fashion_mnist/train#2"
    photos = list(read_photos([entries[0].uri, entries[2].uri]))
    assert all(photo.read().startswith(b"\x89PNG") for photo in photos)
    assert [photo.label() for photo in photos] == ["Pullover", "Bag"]
    assert read(entries[2].uri) == photos[1].read()
    assert len(list(open_archive("tfds:fashion_mnist/test", data_dir=tfds_dir).list())) == 10_000


def test_unknown_split_lists_the_valid_ones(tfds_dir):
    """A misspelt split is answered with the names there are."""
    with pytest.raises(UsageError, match=r"no split 'dev'; expected one of: .*test"):
        open_archive("tfds:mnist/dev", data_dir=tfds_dir)


def test_unprepared_data_set_is_not_downloaded(tmp_path):
    """With a data directory nothing is fetched from the network: the error says what was expected where."""
    with pytest.raises(InputNotFoundError, match=r"mnist is not prepared below .*; expected .*mnist/3\.0\.1"):
        open_archive("tfds:mnist", data_dir=tmp_path)


def test_unknown_data_set_is_an_input_error(tmp_path):
    """A name that TensorFlow Datasets does not know is refused."""
    with pytest.raises(InputNotFoundError, match="knows no 'no_such_set'"):
        open_archive("tfds:no_such_set", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tfds:mnist", ("mnist", "train")),
        ("tfds:mnist/test", ("mnist", "test")),
        ("tfds:imagenet_resized/32x32", ("imagenet_resized/32x32", "train")),
        ("tfds:imagenet_resized/32x32/validation", ("imagenet_resized/32x32", "validation")),
        ("tfds:", ("", "train")),
    ],
)
def test_a_configuration_is_told_from_a_split(source, expected):
    """Data sets with several configurations name one before the split."""
    assert _name_and_split(source) == expected


@pytest.mark.parametrize("source", ["tfds:", "tfds:é", "tfds:../.."])
def test_a_name_that_is_none_is_refused(source, tmp_path):
    """What cannot be a name is a usage error, not a crash."""
    with pytest.raises(UsageError, match=r"names no data set; expected tfds:NAME"):
        open_archive(source, data_dir=tmp_path)


def test_records_that_cannot_be_had_any_more_are_rejects(tmp_path):
    """A data set that was moved since the listing costs its own photos: each says what was expected where."""
    uris = [f"tfds:mnist/test?data_dir={tmp_path}#{record}" for record in (3, 4)]
    first, second = read_photos(uris)
    for photo in (first, second):
        with pytest.raises(UnreadablePhotoError, match=r"mnist/test.*#3 cannot be read: mnist is not prepared below"):
            photo.read()


@pytest.mark.parametrize("record", ["", "x", "1.5"])
def test_a_record_that_has_no_number_is_a_reject(record, tmp_path):
    """A name that no listing gave is refused in words."""
    with pytest.raises(UnreadablePhotoError, match="cannot be read"):
        read(f"tfds:mnist/test?data_dir={tmp_path}#{record}")


def test_records_between_those_asked_for_are_passed_over(tfds_dir):
    """In one pass, in their order, and each with its own class."""
    entries = list(open_archive("tfds:mnist/test", data_dir=tfds_dir).list())
    asked = [entries[number] for number in (7, 2, 9)]
    in_order = list(read_photos(entry.uri for entry in sorted(asked, key=lambda one: int(one.uri.rpartition("#")[2]))))
    alone = [read(entries[number].uri) for number in (2, 7, 9)]
    assert [photo.read() for photo in in_order] == alone
    assert len(set(alone)) == 3
