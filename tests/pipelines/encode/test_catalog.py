"""Catalogs: CSV or Parquet in, typed columns out, and every mistake named."""

import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.run_tables import inventory_schema
from pipelines.encode.catalog import join_catalog, read_catalog

NOON = datetime(2024, 5, 31, 12, tzinfo=timezone.utc)


@pytest.fixture
def csv(tmp_path: Path):
    """A function that writes a catalog and returns its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "catalog.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def table(tmp_path: Path):
    """A function that writes a Parquet catalog and returns its path."""

    def write(columns: dict) -> Path:
        parquet.write_table(pa.table(columns), tmp_path / "catalog.PARQUET")
        return tmp_path / "catalog.PARQUET"

    return write


def test_all_columns_of_a_csv_are_typed(csv) -> None:
    """Ids stay text, times become UTC, and columns nobody asked for are left out."""
    path = csv("photo_id,more,published_at,caption,credit,source\n0012,x,2024-05-31T12:00:00Z,A,B,C\n")
    assert read_catalog(path).rows.to_pylist() == [
        {"photo_id": "0012", "published_at": NOON, "caption": "A", "credit": "B", "source": "C"}
    ]


def test_missing_columns_and_empty_cells_are_null(csv) -> None:
    """A catalog of ids alone is one; an empty cell is unknown and not the empty text."""
    rows = read_catalog(csv("photo_id,caption\na,\nb,NULL\n")).rows.to_pylist()
    assert [set(row.values()) for row in rows] == [{"a", None}, {"b", None}]


@pytest.mark.parametrize("word", ["0012", "1e5", "true", "NA", "nan", "null", "2024-05-31"])
def test_words_stay_words(csv, word: str) -> None:
    """What looks like a number, a date or a null of some program is still an id or a caption."""
    (row,) = read_catalog(csv(f"photo_id,caption\n{word},{word}\n")).rows.to_pylist()
    assert (row["photo_id"], row["caption"]) == (word, word)


def test_captions_span_lines(csv) -> None:
    """A quoted line break, comma and quote belong to the caption."""
    rows = read_catalog(csv('photo_id,caption\na,"one\ntwo, ""three"""\nb,x\n')).rows.to_pylist()
    assert [row["caption"] for row in rows] == ['one\ntwo, "three"', "x"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(csv) -> None:
    """Spreadsheets write one."""
    assert read_catalog(csv("\ufeffphoto_id\na\n")).rows["photo_id"].to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-31", NOON - timedelta(hours=12)),
        ("2024-05-31 12:00", NOON),
        ("2024-05-31T12:00:00", NOON),
        ("2024-05-31T12:00:00Z", NOON),
        ("2024-05-31 14:00:00+02:00", NOON),
        ("2024-05-31T07:00:00-0500", NOON),
        ("2024-05-31T12:00:00.25", NOON + timedelta(seconds=0.25)),
        ("1839-01-01", datetime(1839, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_times_with_and_without_an_offset_mix(csv, text: str, expected: datetime) -> None:
    """Each row is read by itself: no offset means UTC."""
    path = csv(f"photo_id,published_at\na,{text}\nb,2024-05-31T14:00:00+02:00\nc,2024-05-31T12:00:00\nd,\n")
    assert read_catalog(path).rows["published_at"].to_pylist() == [expected, NOON, NOON, None]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([NOON], pa.timestamp("ns", "UTC")), NOON),
        (pa.array([NOON.replace(tzinfo=None)], pa.timestamp("ms")), NOON),
        (pa.array([NOON], pa.timestamp("s", "Europe/Vienna")), NOON),
        (pa.array([date(2024, 5, 31)]), NOON - timedelta(hours=12)),
        (pa.array(["2024-05-31T12:00:00"], pa.large_string()), NOON),
        (pa.array(["2024-05-31T12:00:00Z"], pa.string_view()), NOON),
        (pa.array(["2024-05-31T14:00:00+02:00"]).dictionary_encode(), NOON),
        (pa.nulls(1), None),
        (
            pa.array([NOON.timestamp() * 10**9 + 123_456_789], pa.float64()).cast(pa.int64()).cast(pa.timestamp("ns")),
            NOON + timedelta(microseconds=123_456),
        ),
    ],
)
def test_parquet_times_of_any_type_are_read(table, column: pa.Array, expected: datetime | None) -> None:
    """Programs write times as texts of several kinds, days, and units from seconds to nanoseconds."""
    assert read_catalog(table({"photo_id": ["a"], "published_at": column})).rows["published_at"].to_pylist() == [
        expected
    ]


def test_parquet_texts_of_any_type_are_read(table) -> None:
    """Numbers as ids, large and dictionary texts become plain text."""
    columns = {
        "photo_id": pa.array([12]),
        "caption": pa.array(["A"], pa.large_string()),
        "credit": pa.array(["B"]).dictionary_encode(),
    }
    (row,) = read_catalog(table(columns)).rows.to_pylist()
    assert (row["photo_id"], row["caption"], row["credit"]) == ("12", "A", "B")


@pytest.mark.parametrize("columns", [{"caption": [["A"]]}, {"published_at": [5]}, {"published_at": [True]}])
def test_a_parquet_column_of_the_wrong_type_is_named(table, columns: dict) -> None:
    """A list is no caption, and a number no time: in which unit?"""
    with pytest.raises(UsageError, match=f"column {next(iter(columns))}: "):
        read_catalog(table({"photo_id": ["a"], **columns}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,caption\na,x\n", r"has the columns \['id', 'caption'\]; expected photo_id among them"),
        ("photo_id\na\nb\na\nb\nc\n", "has 2 photo_ids more than once, 'a' first"),
        ("photo_id,caption,caption\na,x,y\n", "has the column caption more than once"),
        ("photo_id,caption\na,x\n,y\n,z\n", "has 2 rows without a photo_id"),
    ],
)
def test_what_cannot_be_joined_is_a_usage_error(csv, text: str, message: str) -> None:
    """Without one id per row nobody knows which photo a caption belongs to."""
    with pytest.raises(UsageError, match=message):
        read_catalog(csv(text))


@pytest.mark.parametrize("text", ["", "photo_id,caption\na,b,c\n"])
def test_a_csv_that_cannot_be_read_is_an_input_error(csv, text: str) -> None:
    """An empty file, and ragged rows."""
    with pytest.raises(InputNotFoundError, match=r"cannot be read: .*; expected CSV or Parquet"):
        read_catalog(csv(text))


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("header", ["photo_id,caption", "photo_id,caption,Größe"])
def test_another_encoding_is_told_with_the_command_that_converts_it(csv, encoding: str, header: str) -> None:
    """What the error says to type gives a catalog that is read."""
    row = ",".join(["a", "Café", "1"][: header.count(",") + 1])
    path = csv(f"{header}\n{row}\n".encode(encoding))
    with pytest.raises(InputNotFoundError, match="UTF-8") as caught:
        read_catalog(path)
    assert "\n" not in str(caught.value)
    subprocess.run(["sh", "-c", "iconv" + str(caught.value).partition("iconv")[2]], check=True)
    assert read_catalog(path.with_name("catalog.utf-8.csv")).rows["caption"].to_pylist() == ["Café"]


def test_the_first_byte_that_is_no_utf8_is_named(csv) -> None:
    """In a file of a million rows an editor finds the line, quoted line breaks counted."""
    path = csv(b'photo_id,caption\na,"x\ny"\nb,' + b"\xe9\n")
    with pytest.raises(InputNotFoundError, match=r"is not UTF-8 \(byte 28, in line 4\); it looks like Latin-1"):
        read_catalog(path)


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_spreadsheets_separate_by_what_their_country_does(csv, separator: str) -> None:
    """Semicolons and tabs are read like commas, and a comma in a caption stays one."""
    rows = ["photo_id", "Published_At", "caption"], ["0012", "2024-05-31", '"A, b; c"']
    table = read_catalog(csv("\n".join(map(separator.join, rows)))).rows
    assert table.drop_columns(["published_at"]).to_pylist() == [
        {"photo_id": "0012", "caption": "A, b; c", "credit": None, "source": None}
    ]


@pytest.mark.parametrize("data", [b"", b"photo_id\na\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_file_that_is_no_parquet_is_an_input_error(tmp_path: Path, data: bytes) -> None:
    """The ending of the name says what to expect."""
    (tmp_path / "catalog.parquet").write_bytes(data)
    with pytest.raises(InputNotFoundError, match="cannot be read"):
        read_catalog(tmp_path / "catalog.parquet")


def test_a_missing_catalog_and_a_folder_are_input_errors(tmp_path: Path) -> None:
    """The error says what was expected there."""
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(InputNotFoundError, match="expected a CSV or Parquet file with a photo_id column"):
            read_catalog(path)


def test_joining_keeps_the_inventory_and_fills_what_is_known(csv) -> None:
    """Order and rows are the inventory's; a photo without a catalog row keeps nulls, an extra row is ignored."""
    catalog = read_catalog(csv("photo_id,published_at,caption\nc,2024-05-31T12:00:00Z,C\nx,,X\na,,A\n")).rows
    files = [{"photo_id": name, "uri": f"file:///{name}", "size_bytes": 1} for name in "abc"]
    joined = join_catalog(pa.Table.from_pylist(files, schema=inventory_schema()), catalog)
    assert joined.schema == inventory_schema()
    assert joined["photo_id"].to_pylist() == ["a", "b", "c"]
    assert joined["caption"].to_pylist() == ["A", None, "C"]
    assert joined["published_at"].to_pylist() == [None, None, NOON]


def test_column_names_are_taken_as_people_write_them(tmp_path: Path) -> None:
    """A stray space or a capital must not lose every date."""
    (tmp_path / "c.csv").write_text("Photo_ID, Published_At ,Caption\n0012,2024-05-31,007\n")
    (row,) = read_catalog(tmp_path / "c.csv").rows.to_pylist()
    assert (row["photo_id"], row["published_at"].year, row["caption"]) == ("0012", 2024, "007")


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("publishd_at", "published_at"),
        ("published", "published_at"),
        ("published-at", "published_at"),
        ("PublishedAt", "published_at"),
        ("captions", "caption"),
        ("credits", "credit"),
        ("sources", "source"),
    ],
)
def test_a_misspelt_column_is_not_passed_over(tmp_path: Path, column: str, meant: str):
    """Its dates would be missing from every answer, and nobody would know why."""
    path = tmp_path / "catalog.csv"
    path.write_text(f"photo_id,{column}\na.jpg,2024-01-01\n")
    with pytest.raises(UsageError, match=f"has a column {column.lower()!r}; expected {meant}"):
        read_catalog(path)


@pytest.mark.parametrize("column", ["publisher", "photographer", "id", "resource_type", "edition", "city"])
def test_other_columns_are_the_desk_s_own(tmp_path: Path, column: str):
    """A catalog is exported from elsewhere, with more than is asked for."""
    path = tmp_path / "catalog.csv"
    path.write_text(f"photo_id,{column}\na.jpg,x\n")
    assert read_catalog(path).rows["photo_id"].to_pylist() == ["a.jpg"]


def test_a_name_like_a_column_that_is_there_is_no_misspelling(tmp_path: Path):
    """`captions` beside `caption` is a column of the desk's own."""
    path = tmp_path / "catalog.csv"
    path.write_text("photo_id,caption,captions,published_at,published\na.jpg,one,two,2024-01-01,x\n")
    assert read_catalog(path).rows["caption"].to_pylist() == ["one"]


@pytest.mark.parametrize("ending", ["", "b.jpg,x\n" * 30_000])
def test_a_quote_that_is_never_closed_is_refused(tmp_path: Path, ending: str):
    """The rows behind it would be taken for a part of one caption, and nobody would know."""
    path = tmp_path / "catalog.csv"
    path.write_text(f'photo_id,caption\na.jpg,"two\nlines"\nc.jpg,"open\nd.jpg,x\n{ending}')
    with pytest.raises(UsageError, match="a quote in the row of line 4 that is never closed"):
        read_catalog(path)


def test_a_quote_inside_of_a_value_opens_nothing(tmp_path: Path):
    """It stands for inches."""
    path = tmp_path / "catalog.csv"
    path.write_text('photo_id,caption\na.jpg,a 5" lens\nb.jpg,x\n')
    assert read_catalog(path).rows["caption"].to_pylist() == ['a 5" lens', "x"]
