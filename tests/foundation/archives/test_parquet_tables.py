"""Parquet files of photos: the column is found, rows are read in one pass, and what is broken is named."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.archives import parquet_tables
from foundation.archives.archive import open_archive, read, read_photos
from foundation.archives.photos import UnreadablePhotoError
from foundation.errors import InputNotFoundError, UsageError
from tests.photos import jpeg, scene


def read_all(path: str) -> list[bytes]:
    """The bytes of every photo of an archive, in order."""
    return [photo.read() for photo in read_photos(entry.uri for entry in open_archive(path).list())]


@pytest.fixture
def encoded() -> list[bytes]:
    """Five encoded photos."""
    return [jpeg(scene(seed)) for seed in range(5)]


def write_parquet(path, **columns):
    """A Parquet file of small row groups, so that reading crosses their borders."""
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return str(path)


@pytest.mark.parametrize("column", ["image", "jpg", "bytes", "anything"])
def test_parquet_column_of_bytes(tmp_path, encoded, column):
    """One binary column is found whatever its name."""
    path = write_parquet(tmp_path / "photos.parquet", label=[1, 2, 3, 4, 5], **{column: encoded})
    assert read_all(path) == encoded


def test_parquet_of_hugging_face(tmp_path, encoded):
    """A struct of bytes and path, as Hugging Face writes images; a missing photo is empty, not dropped."""
    images = [{"bytes": data, "path": "x.jpg"} for data in encoded[:-1]] + [None]
    path = write_parquet(tmp_path / "photos.parquet", image=images)
    assert read_all(path) == [*encoded[:-1], b""]


def test_well_known_name_wins_among_binary_columns(tmp_path, encoded):
    """A thumbnail beside the photo does not confuse."""
    path = write_parquet(tmp_path / "photos.parquet", thumb=[b"t"] * 5, image=encoded)
    assert read_all(path) == encoded


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": [1], "name": ["a"]}, r"no binary column; .*its columns: label \(int64\), name \(string\)"),
        ({"front": [b"1"], "back": [b"2"]}, r"several binary columns \(front, back\)"),
    ],
)
def test_parquet_without_a_clear_column_lists_its_columns(tmp_path, columns, message):
    """What cannot be guessed is asked for, with the columns there are."""
    path = write_parquet(tmp_path / "photos.parquet", **columns)
    with pytest.raises(UsageError, match=message):
        list(open_archive(path).list())


def test_damaged_parquet_is_named(tmp_path):
    """A file that is no Parquet file is an input error with its path."""
    (tmp_path / "photos.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputNotFoundError, match=r"cannot read .*photos\.parquet"):
        list(open_archive(str(tmp_path / "photos.parquet")).list())


def test_an_entry_names_its_row(tmp_path, encoded):
    """The photo_id is the file's name and the row; the URI leads back to the bytes."""
    write_parquet(tmp_path / "2024.parquet", image=encoded)
    entries = list(open_archive(str(tmp_path)).list())
    assert [entry.photo_id for entry in entries] == [f"2024.parquet#{row}" for row in range(5)]
    assert read(entries[3].uri) == encoded[3]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=12))
def test_rows_come_in_any_order_asked_for(tmp_path_factory, numbers):
    """Forwards within a row group, backwards and again: each row is the one that was asked for."""
    path = tmp_path_factory.getbasetemp() / "rows.parquet"
    if not path.exists():
        write_parquet(path, image=[bytes([row]) * 3 for row in range(7)])
    photos = read_photos(f"{path.as_uri()}#{number}" for number in numbers)
    assert [photo.read() for photo in photos] == [bytes([number]) * 3 for number in numbers]


@pytest.mark.parametrize("row", ["5", "-1", "x", "1.5"])
def test_a_row_that_is_not_there_is_a_reject(tmp_path, encoded, row):
    """A name that a file never had is refused in words, and nothing crashes."""
    uri = f"file://{write_parquet(tmp_path / 'p.parquet', image=encoded)}"
    with pytest.raises(UnreadablePhotoError):
        read(f"{uri}#{row}")


def test_a_wrong_row_in_a_list_spares_the_others(tmp_path):
    """Anybody may have written it: what is no number, and no row of the file, is a reject and nothing else is."""
    path = write_parquet(tmp_path / "p.parquet", image=[b"0", b"1", b"2"])
    parts = ("1", "x", "3", "-1", "9" * 30, "2", "²", "0")
    photos = list(read_photos(f"file://{path}#{part}" for part in parts))
    for place in (1, 2, 3, 4, 6):
        with pytest.raises(UnreadablePhotoError, match=rf"p\.parquet#{parts[place]} is no row of it; expected 0 to 2"):
            photos[place].read()
    assert [photos[place].read() for place in (0, 5, 7)] == [b"1", b"2", b"0"]


def test_a_file_that_was_cut_since_the_listing_gives_rejects(tmp_path, encoded):
    """Each of its photos says what is wrong; a run over many files goes on."""
    path = write_parquet(tmp_path / "p.parquet", image=encoded)
    uris = [entry.uri for entry in open_archive(path).list()]
    (tmp_path / "p.parquet").write_bytes((tmp_path / "p.parquet").read_bytes()[:100])
    photos = list(read_photos(uris))
    assert len(photos) == 5
    for photo in photos:
        with pytest.raises(UnreadablePhotoError, match="cannot be read"):
            photo.read()


def test_damage_in_the_middle_spares_the_rows_before_it(tmp_path):
    """Row groups before the damaged one are read; from there on each photo is an error."""
    noise = [np.random.default_rng(row).bytes(2_000) for row in range(6)]
    path = write_parquet(tmp_path / "p.parquet", image=noise)
    data = bytearray((tmp_path / "p.parquet").read_bytes())
    column = pq.read_metadata(path).row_group(1).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + 40] = b"\xff" * 40
    (tmp_path / "p.parquet").write_bytes(data)
    photos = list(read_photos(f"file://{path}#{row}" for row in range(6)))
    assert [photo.read() for photo in photos[:2]] == noise[:2]
    for photo in photos[2:]:
        with pytest.raises(UnreadablePhotoError, match=r"p\.parquet#2 cannot be read"):
            photo.read()


def test_rows_that_only_the_footer_knows_are_rejects(tmp_path, monkeypatch):
    """A row group that holds fewer rows than its footer says gives what it has, and no photo is lost silently."""
    path = write_parquet(tmp_path / "p.parquet", image=[b"0", b"1", b"2", b"3"])
    monkeypatch.setattr(parquet_tables, "_group_of", lambda _metadata, _number: (0, 0))
    first, second, third, fourth = read_photos(f"file://{path}#{row}" for row in range(4))
    assert (first.read(), second.read()) == (b"0", b"1")
    for photo in (third, fourth):
        with pytest.raises(UnreadablePhotoError, match=r"p\.parquet#2 cannot be read: .* ends before row 2"):
            photo.read()


def test_what_arrow_cannot_read_is_a_reject(tmp_path, monkeypatch, encoded):
    """A codec that Arrow was built without is known only when the pages are read; not all errors are ValueErrors."""
    path = write_parquet(tmp_path / "p.parquet", image=encoded)

    def unsupported(*_, **__):
        raise pa.ArrowNotImplementedError("Support for codec 'lzo' not built")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", unsupported)
    with pytest.raises(UnreadablePhotoError, match="codec 'lzo' not built"):
        read(f"file://{path}#0")
