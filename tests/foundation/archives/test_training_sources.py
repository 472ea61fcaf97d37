"""Training sources: folders, Parquet and TensorFlow Datasets, all as encoded bytes."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foundation.archives.tensorflow_datasets import _name_and_split
from foundation.archives.training_sources import open_source
from foundation.errors import InputNotFoundError, UsageError
from tests.photos import jpeg, scene


def read_all(source) -> list[bytes]:
    """The bytes of every photo of a source, in order."""
    return [photo.read() for photo in source.read(range(source.photos))]


@pytest.fixture
def encoded() -> list[bytes]:
    """Five encoded photos."""
    return [jpeg(scene(seed)) for seed in range(5)]


def write_parquet(path, **columns):
    """A Parquet file of small row groups, so that reading crosses their borders."""
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return str(path)


def test_folder_is_read_in_the_order_of_its_paths(photo_folder):
    """Every file below a folder is one photo of the source."""
    files = sorted(photo_folder.rglob("*.jpg"))
    assert read_all(open_source(str(photo_folder))) == [file.read_bytes() for file in files]


def test_fingerprint_follows_the_files(tmp_path):
    """A folder that gained a photo is another source."""
    (tmp_path / "a.jpg").write_bytes(b"a")
    before = open_source(str(tmp_path)).fingerprint
    assert open_source(str(tmp_path)).fingerprint == before
    (tmp_path / "b.jpg").write_bytes(b"b")
    assert open_source(str(tmp_path)).fingerprint != before


def test_only_the_photos_asked_for_are_read(tmp_path, encoded):
    """Numbers choose rows across files and row groups."""
    write_parquet(tmp_path / "1.parquet", image=encoded[:3])
    write_parquet(tmp_path / "2.parquet", image=encoded[3:])
    source = open_source(str(tmp_path))
    assert source.photos == 5
    assert [photo.read() for photo in source.read([1, 3, 4])] == [encoded[1], encoded[3], encoded[4]]


@pytest.mark.parametrize("column", ["image", "jpg", "bytes", "anything"])
def test_parquet_column_of_bytes(tmp_path, encoded, column):
    """One binary column is found whatever its name."""
    path = write_parquet(tmp_path / "photos.parquet", label=[1, 2, 3, 4, 5], **{column: encoded})
    assert read_all(open_source(path)) == encoded


def test_parquet_of_hugging_face(tmp_path, encoded):
    """A struct of bytes and path, as Hugging Face writes images; a missing photo is empty, not dropped."""
    images = [{"bytes": data, "path": "x.jpg"} for data in encoded[:-1]] + [None]
    path = write_parquet(tmp_path / "photos.parquet", image=images)
    assert read_all(open_source(path)) == [*encoded[:-1], b""]


def test_well_known_name_wins_among_binary_columns(tmp_path, encoded):
    """A thumbnail beside the photo does not confuse."""
    path = write_parquet(tmp_path / "photos.parquet", thumb=[b"t"] * 5, image=encoded)
    assert read_all(open_source(path)) == encoded


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": [1], "name": ["a"]}, r"no binary column; .*its columns: label \(int64\), name \(string\)"),
        ({"front": [b"1"], "back": [b"2"]}, r"several binary columns \(front, back\)"),
    ],
)
def test_parquet_without_a_clear_column_lists_its_columns(tmp_path, columns, message):
    """What cannot be guessed is asked for, with the columns there are."""
    with pytest.raises(UsageError, match=message):
        open_source(write_parquet(tmp_path / "photos.parquet", **columns))


def test_damaged_parquet_is_named(tmp_path):
    """A file that is no Parquet file is an input error with its path."""
    (tmp_path / "photos.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputNotFoundError, match=r"cannot read .*photos\.parquet"):
        open_source(str(tmp_path / "photos.parquet"))


def test_catalog_in_parquet_beside_photos_is_no_source_of_photos(tmp_path, encoded):
    """A folder of images stays one when a Parquet file lies in it."""
    write_parquet(tmp_path / "catalog.parquet", photo_id=["a.jpg"])
    (tmp_path / "a.jpg").write_bytes(encoded[0])
    assert open_source(str(tmp_path)).photos == 2


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("/nowhere/at/all", InputNotFoundError, "no photos in the source '/nowhere/at/all'"),
        ("gs://bucket/photos", UsageError, "cannot train on 'gs://bucket/photos'"),
        (__file__, UsageError, "cannot train on the one file"),
    ],
)
def test_impossible_sources_are_refused(source, error, message):
    """A source that is missing, remote or a single file ends with what was expected."""
    with pytest.raises(error, match=message):
        open_source(source)


@pytest.fixture
def tfds_dir(shared_data):
    """The folder of prepared TensorFlow Datasets, where there is one."""
    if not (shared_data / "tfds" / "fashion_mnist").is_dir():
        pytest.skip("no prepared TensorFlow Datasets in the shared data")
    return shared_data / "tfds"


def test_tensorflow_datasets_are_read_encoded(tfds_dir):
    """The train split is the default; photos come as the PNG bytes that our own decoder takes."""
    source = open_source("tfds:fashion_mnist", data_dir=tfds_dir)
    assert source.photos == 60_000
    photos = list(source.read([0, 2]))
    assert all(photo.read().startswith(b"\x89PNG") for photo in photos)
    assert [photo.label for photo in photos] == ["Pullover", "Bag"]
    assert open_source("tfds:fashion_mnist/test", data_dir=tfds_dir).photos == 10_000


def test_unknown_split_lists_the_valid_ones(tfds_dir):
    """A misspelt split is answered with the names there are."""
    with pytest.raises(UsageError, match=r"no split 'dev'; expected one of: .*test"):
        open_source("tfds:mnist/dev", data_dir=tfds_dir)


def test_unprepared_data_set_is_not_downloaded(tmp_path):
    """With a data directory nothing is fetched from the network: the error says what was expected where."""
    with pytest.raises(InputNotFoundError, match=r"mnist is not prepared below .*; expected .*mnist/3\.0\.1"):
        open_source("tfds:mnist", data_dir=tmp_path)


def test_unknown_data_set_is_an_input_error(tmp_path):
    """A name that TensorFlow Datasets does not know is refused."""
    with pytest.raises(InputNotFoundError, match="knows no 'no_such_set'"):
        open_source("tfds:no_such_set", data_dir=tmp_path)


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
        open_source(source, data_dir=tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path, encoded):
    """A folder may hold what nobody writes to."""
    os.mkfifo(tmp_path / "pipe.tar")
    (tmp_path / "a.jpg").write_bytes(encoded[0])
    assert open_source(str(tmp_path)).photos == 1
    with pytest.raises(InputNotFoundError, match="no photos in the source"):
        open_source(str(tmp_path / "pipe.tar"))
