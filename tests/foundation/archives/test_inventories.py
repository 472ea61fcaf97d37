"""Ready inventories: photos that lie elsewhere, named by a CSV or a Parquet file with what is known of them."""

from datetime import date, datetime, timezone
from pathlib import Path

import obstore
import pyarrow as pa
import pytest
from obstore.store import from_url
from pyarrow import parquet

from foundation.archives import inventories
from foundation.archives.archive import open_archive, read_photos
from foundation.archives.photos import Entry, UnreadablePhotoError
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos.metadata import GivenMetadata
from tests.foundation.archives.test_tar_shards import write_shard

DAY = datetime(2024, 5, 31, tzinfo=timezone.utc)


@pytest.fixture
def csv(tmp_path: Path):
    """A function that writes an inventory and returns its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "inventory.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def entries_of(path: Path | str) -> list[Entry]:
    """The listing of an archive."""
    return list(open_archive(str(path)).list())


def test_a_csv_of_paths(tmp_path: Path, csv):
    """They begin in the folder of the inventory, odd letters are no escapes, and each is its photo_id."""
    names = ["2024/a.jpg", "100%.jpg", "x#y.jpg", "写真.jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    entries = entries_of(csv("\n".join(["path", *names])))
    assert [entry.photo_id for entry in entries] == names
    assert [photo.read() for photo in read_photos(entry.uri for entry in entries)] == [name.encode() for name in names]
    first = entries[0]
    assert (first.size_bytes, first.modified_at, first.etag, first.given) == (-1, None, None, None)


def test_all_columns_of_a_csv(csv):
    """What is known of a photo comes with it, and nothing has to be read for it."""
    path = csv(
        "\ufeffPhoto_ID; uri ;size_bytes;etag;modified_at;published_at;caption;credit;source;more\n"
        '0012;file:///a/b%20c.jpg;5;"x";1970-01-01;2024-05-31;"Two\nlines";Lee;Desk;7\n'
        "13;/plain/path.jpg;;;;;;;;\n"
    )
    known = GivenMetadata(DAY, None, "Two\nlines", "Lee", "Desk")
    zero = datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert entries_of(path) == [
        Entry("0012", "file:///a/b%20c.jpg", 5, zero, "x", given=known),
        Entry("13", "file:///plain/path.jpg", -1, None, None, given=GivenMetadata()),
    ]


def test_a_parquet_file_of_uris(tmp_path: Path, bucket: str):
    """Any types that programs write; photos lie in files, shards and buckets, named as a listing names them."""
    shard = write_shard(tmp_path / "s.tar", [("1.jpg", b"one")])
    (tmp_path / "a.jpg").write_bytes(b"a")
    obstore.put(from_url(bucket), "b.jpg", b"b")
    uris = [f"{shard.as_uri()}#1.jpg", "a.jpg", f"{bucket}/b.jpg"]
    columns = {
        "uri": pa.array(uris, pa.large_string()),
        "photo_id": pa.array([1, 2, 3]),
        "size_bytes": pa.array([3, None, 1], pa.int32()),
        "modified_at": pa.array([date(2024, 5, 31), None, None]),
        "published_at": pa.array([DAY, None, DAY], pa.timestamp("ns", "UTC")),
        "source": pa.array(["x", "x", None]).dictionary_encode(),
        "width": [1, 2, 3],
    }
    parquet.write_table(pa.table(columns), tmp_path / "list.parquet", row_group_size=2)
    entries = entries_of(tmp_path / "list.parquet")
    assert [(entry.photo_id, entry.size_bytes, entry.modified_at) for entry in entries] == [
        ("1", 3, DAY),
        ("2", -1, None),
        ("3", 1, None),
    ]
    assert entries[0].given == GivenMetadata(published_at=DAY, source="x")
    assert [photo.read() for photo in read_photos(entry.uri for entry in entries)] == [b"one", b"a", b"b"]


def test_an_inventory_in_a_bucket(bucket: str):
    """Its paths begin below the prefix that it lies in."""
    store = from_url(bucket)
    obstore.put(store, "lists/i.csv", b"path,photo_id\n2024/a b.jpg,a\n")
    obstore.put(store, "lists/2024/a b.jpg", b"photo")
    (entry,) = entries_of(f"{bucket}/lists/i.csv")
    assert entry.photo_id == "a"
    assert next(read_photos([entry.uri])).read() == b"photo"


def test_a_parquet_file_with_images_is_no_inventory(tmp_path: Path):
    """A uri beside the bytes says where they came from; a catalog names no place, and is not taken for one."""
    parquet.write_table(pa.table({"image": [b"1"], "uri": ["https://host/a.jpg"]}), tmp_path / "photos.parquet")
    assert [entry.photo_id for entry in entries_of(tmp_path)] == ["photos.parquet#0"]
    parquet.write_table(pa.table({"photo_id": ["a"], "caption": ["b"]}), tmp_path / "catalog.parquet")
    with pytest.raises(UsageError, match="no binary column"):
        entries_of(tmp_path / "catalog.parquet")


def test_a_csv_in_a_folder_is_an_entry(tmp_path: Path):
    """It may be anything: only whoever names it says that it is an inventory."""
    write_shard(tmp_path / "s.tar", [("1.jpg", b"one")])
    (tmp_path / "notes.csv").write_text("path\nx.jpg\n")
    assert [entry.photo_id for entry in entries_of(tmp_path)] == ["notes.csv", "s.tar#1.jpg"]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("http://host/a.jpg", None),
        ("https://host/a.jpg", None),
        ("file://host/a.jpg", None),
        ("FILE:///a.jpg", None),
        ("pipe://x", None),
        ("../up.jpg", None),
        ("a/../../up.jpg", None),
        ("/a/../../etc/passwd", None),
        ("ftp://host/" + "x" * 10_000, "ftp://host/xxx"),
    ],
)
def test_a_place_that_is_not_read_is_refused(csv, place: str, shown: str | None):
    """Nothing is fetched from the network of a stranger, and no path leads out of the folder."""
    with pytest.raises(UsageError, match=r"inventory .* names ") as caught:
        entries_of(csv(f"uri\na.jpg\n{place}\n"))
    assert f"{shown or place}" in str(caught.value)
    assert "in row 2; expected file:///…, s3://… or gs://… as uri, or a path below" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "place", ["/dev/zero", "file:///dev/zero", "a\0b", "file:///a%00b", "n" * 5_000, ".", "~root/x"]
)
def test_a_place_that_is_no_photo_is_a_reject(tmp_path: Path, place: str):
    """Devices are not read, and names that no file can have cost that row alone."""
    parquet.write_table(pa.table({"uri": [place]}), tmp_path / "i.parquet")
    (entry,) = entries_of(tmp_path / "i.parquet")
    with pytest.raises(UnreadablePhotoError):
        next(read_photos([entry.uri])).read()


def test_links_are_not_followed(tmp_path: Path, csv):
    """By the same rule as in a folder: an inventory may be anybody's, and a link may lead anywhere."""
    (tmp_path / "a.jpg").symlink_to("/etc/passwd")
    (entry,) = entries_of(csv("path\na.jpg\n"))
    with pytest.raises(UnreadablePhotoError, match="is a link"):
        next(read_photos([entry.uri])).read()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "photo_id,published_at\na,2024-05-31\n",
            UsageError,
            "expected uri or path among them: a catalog goes to --catalog",
        ),
        ('path,caption\na.jpg,"x\nb.jpg,y\n', UsageError, "has a quote in the row of line 2 that is never closed"),
        ("uri,URI\na,b\n", UsageError, "has the column uri more than once"),
        (
            "path,publishd_at\na,2024-05-31\n",
            UsageError,
            "has a column 'publishd_at'; expected published_at: rename it",
        ),
        ("path,caption\na.jpg,x\n,y\n", UsageError, "has no uri or path in row 2; expected one in each row"),
        ("path,photo_id\na.jpg,x\nb.jpg,\n", UsageError, "has no photo_id in row 2"),
        ("path,size_bytes\na.jpg,12 KB\n", UsageError, r"column size_bytes, behind row 0: .*12 KB.*; mend it"),
        ("path,photo_id\na.jpg,x\nb.jpg,y\nc.jpg,x\n", UsageError, "has the photo_id 'x' twice; expected one row each"),
        ("path\na.jpg\nb.jpg\na.jpg\n", UsageError, "has the photo_id 'a.jpg' twice"),
        (
            "path,published_at\na,5/31/2024\nb,5/31/2024\n",
            UsageError,
            "2 of 2 dates cannot be read; expected times like",
        ),
        ("", UsageError, "has the columns .*; expected uri or path among them"),
        ("path,caption\na,b,c\n", InputNotFoundError, "inventory .* cannot be read: .*; expected CSV"),
        (b"path,caption\na,Caf\xe9\n", InputNotFoundError, "is not UTF-8 .byte 19, in line 2.; it looks like Latin-1"),
        ("path,caption\na,b\n".encode("utf-16"), InputNotFoundError, "inventory .* is UTF-16; expected UTF-8: iconv"),
    ],
)
def test_what_cannot_be_listed_is_refused(csv, text: str | bytes, error, message: str):
    """Loudly, and before anything is encoded: one row each, each with a place."""
    with pytest.raises((UsageError, InputNotFoundError), match=message) as caught:
        entries_of(csv(text))
    assert isinstance(caught.value, error)


def test_dates_that_cannot_be_meant_are_left_out_and_counted(csv):
    """By the rule of catalogs."""
    days = ["2024-05-31"] * 98 + ["1970-01-01", "soon", "2999-01-01"]
    archive = open_archive(str(csv("\n".join(["path,published_at", *(f"{n},{day}" for n, day in enumerate(days))]))))
    assert [entry.given.published_at for entry in archive.list()] == [DAY] * 98 + [None] * 3
    assert sum(archive.left_out.values()) == 3
    assert archive.left_out["dates of the inventory (cannot be read)"] == 1


def test_a_hundred_thousand_rows_stream(tmp_path: Path):
    """Over many batches: the first is there before the last is read, and a repeated id is found wherever it stands."""
    rows = 100_000
    columns = {"path": [f"{n % 100}/{n}.jpg" for n in range(rows)], "photo_id": [str(n) for n in range(rows)]}
    parquet.write_table(pa.table(columns), tmp_path / "i.parquet")
    assert sum(1 for _ in open_archive(str(tmp_path / "i.parquet")).list()) == rows
    columns["photo_id"][-1] = "17"
    parquet.write_table(pa.table(columns), tmp_path / "i.parquet")
    listing = open_archive(str(tmp_path / "i.parquet")).list()
    assert next(listing).photo_id == "0"
    with pytest.raises(UsageError, match="has the photo_id '17' twice"):
        list(listing)


def test_two_photo_ids_of_one_hash_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, csv):
    """The hashes only say where to look."""
    monkeypatch.setattr(inventories, "hash", lambda _: 5, raising=False)
    assert len(entries_of(csv("path\na\nb\nc\n"))) == 3
    with pytest.raises(UsageError, match="'b' twice"):
        entries_of(csv("path\na\nb\nc\nb\n"))


def test_patterns_choose_rows(csv):
    """They are held against the photo_ids."""
    archive = open_archive(str(csv("path\n2019/a.jpg\n2020/a.jpg\n2020/a.png\n")), include=["2020"], exclude=["*.png"])
    assert [entry.photo_id for entry in archive.list()] == ["2020/a.jpg"]
