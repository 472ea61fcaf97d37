"""What the user has is safe from what a lookup writes, whatever it is called."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import AccessDeniedError, InputNotFoundError, UsageError
from foundation.store.files import Store
from serving.output.guard import check_new_folder, check_output, spare
from serving.queries import Listed

Check = Callable[[Path, Store, list[str]], None]


def as_output(place: Path, store: Store, queries: list[str]) -> None:
    """Checks a place that `--output` names."""
    check_output(place, store=store, queries=queries)


def as_decode_folder(place: Path, store: Store, queries: list[str]) -> None:
    """Checks a place that `--decode` names."""
    check_new_folder("--decode", place, store=store, queries=queries)


def as_evidence_folder(place: Path, store: Store, queries: list[str]) -> None:
    """Checks a place that `--evidence` names."""
    check_new_folder("--evidence", place, store=store, queries=queries)


every_flag = pytest.mark.parametrize("check", [as_output, as_decode_folder, as_evidence_folder])


@pytest.fixture
def made_store(tmp_path: Path) -> Store:
    """A store with one file."""
    store = Store(tmp_path / "store", create=True)
    store.create("snapshots/1.json", b"{}")
    return store


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo in a folder of queries, with a name that a URI has to quote."""
    path = tmp_path / "photos" / "café 1.jpg"
    path.parent.mkdir()
    path.write_bytes(b"photo")
    return path


@every_flag
def test_other_places_are_taken(made_store: Store, photo: Path, tmp_path: Path, check: Check) -> None:
    """Beside the queries and the store, also where names begin alike, and with queries that are no files at all."""
    queries = [str(photo), photo.as_uri(), "-", "/nowhere", "file:///null%00byte.jpg", "gs://bucket/photo.jpg"]
    before = sorted(tmp_path.rglob("*"))
    for name in ("new", "store2", "photos/café 1.jpg2"):
        check(tmp_path / name, made_store, queries)
    assert sorted(tmp_path.rglob("*")) == before


@every_flag
@pytest.mark.parametrize("scheme", ["", "file://", "file://localhost"])
@pytest.mark.parametrize("name", ["store/snapshots/1.json", "store/new", "linked/new", "store/outward"])
def test_the_store_is_safe(made_store: Store, tmp_path: Path, check: Check, scheme: str, name: str) -> None:
    """However the store is named, through links to it, and by a link of its own that leads elsewhere."""
    (tmp_path / "linked").symlink_to("store")
    (tmp_path / "store" / "outward").symlink_to(tmp_path / "elsewhere")
    store = Store(f"{scheme}{tmp_path}/store")
    with pytest.raises(UsageError, match="lies in the store, whose files are never replaced; choose another place"):
        check(tmp_path / name, store, [])


@every_flag
@pytest.mark.parametrize("as_uri", [False, True])
@pytest.mark.parametrize("name", ["photos/café 1.jpg", "photos/../photos/café 1.jpg", "symbolic.jpg", "hard.jpg"])
def test_a_queried_photo_is_safe(
    made_store: Store, photo: Path, tmp_path: Path, check: Check, as_uri: bool, name: str
) -> None:
    """By its own name, by links of both kinds, and when the query is a URI."""
    (tmp_path / "symbolic.jpg").symlink_to(photo)
    os.link(photo, tmp_path / "hard.jpg")
    with pytest.raises(UsageError, match=r"lies among the queries .*; choose another place"):
        check(tmp_path / name, made_store, ["-", photo.as_uri() if as_uri else str(photo)])
    with pytest.raises(UsageError, match="lies among the queries"):
        check(photo, made_store, [(tmp_path / "symbolic.jpg").as_uri() if as_uri else str(tmp_path / "symbolic.jpg")])


@every_flag
@pytest.mark.parametrize("name", ["photos/new", "linked/new", "photos"])
def test_nothing_is_written_into_a_queried_folder(
    made_store: Store, photo: Path, tmp_path: Path, check: Check, name: str
) -> None:
    """A folder is listed while it is looked up: the unfinished output was a query of its own, and was rejected."""
    (tmp_path / "linked").symlink_to("photos")
    for query in (str(photo.parent), photo.parent.as_uri(), str(tmp_path / "linked")):
        with pytest.raises(UsageError, match=r"lies among the queries|is not a regular file"):
            check(tmp_path / name, made_store, [query])


@every_flag
def test_a_queried_inventory_is_safe(made_store: Store, tmp_path: Path, check: Check) -> None:
    """`lookup a.parquet --output a.parquet` must not replace the list by the answers."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="lies among the queries"):
        check(tmp_path / "a.parquet", made_store, [str(tmp_path / "a.parquet")])


def test_a_decode_folder_is_where_its_link_leads(made_store: Store, photo: Path, tmp_path: Path) -> None:
    """The pictures would be written there: into the store, or among the queries."""
    for target, words in ((tmp_path / "store" / "empty", "lies in the store"), (photo.parent / "empty", "queries")):
        target.mkdir()
        (tmp_path / "link").symlink_to(target)
        with pytest.raises(UsageError, match=words):
            as_decode_folder(tmp_path / "link", made_store, [str(photo.parent)])
        (tmp_path / "link").unlink()


@every_flag
def test_a_dash_is_no_file(made_store: Store, tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands for a list on stdin, even where a folder has that name."""
    (tmp_path / "-").mkdir()
    monkeypatch.chdir(tmp_path)
    check(Path("-/new"), made_store, ["-"])


@every_flag
def test_a_link_in_a_circle_is_an_ordinary_name(made_store: Store, tmp_path: Path, check: Check) -> None:
    """It leads nowhere, and is no reason to fail."""
    (tmp_path / "circle").symlink_to("circle")
    check(tmp_path / "new", made_store, [str(tmp_path / "circle")])


@every_flag
def test_the_folder_of_the_place_must_exist(made_store: Store, tmp_path: Path, check: Check) -> None:
    """The message names the flag; a typing error makes no folders."""
    with pytest.raises(InputNotFoundError, match=r"none does not exist; make it before --(output|decode|evidence) "):
        check(tmp_path / "none" / "new", made_store, [])


@every_flag
def test_the_folder_of_the_place_must_be_open_to_writing(
    made_store: Store, tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not write there learns it before the work, and not after it."""
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(AccessDeniedError, match=r"may not be written to; choose another place for --\w+ "):
        check(tmp_path / "out", made_store, [])


def test_a_folder_that_is_there_is_written_to_itself(
    made_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was given an empty folder need not be allowed to make another beside it."""
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path == tmp_path / "mine")
    check_new_folder("--evidence", tmp_path / "mine", store=made_store, queries=[])


def test_an_output_is_a_regular_file(made_store: Store, tmp_path: Path) -> None:
    """The file is put in place by renaming, which would replace a device; an older file of answers is replaced."""
    (tmp_path / "answers.csv").write_text("old")
    check_output(tmp_path / "answers.csv", store=made_store, queries=[])
    for special in (tmp_path, Path("/dev/null")):
        with pytest.raises(UsageError, match=f"output {special} is not a regular file; expected a file name"):
            check_output(special, store=made_store, queries=[])


def test_a_bucket_has_no_local_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing local can replace a file there."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    check_output(tmp_path / "new", store=Store("s3://bucket/store"), queries=["-"])


def test_a_new_or_an_empty_folder_is_taken(made_store: Store, tmp_path: Path) -> None:
    """Beside the queries, beside the output: both are fine; the check itself writes nothing."""
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new"):
        queries, output = [str(tmp_path / "q.jpg")], tmp_path / "a.html"
        check_new_folder("--decode", tmp_path / name, store=made_store, queries=queries, others=[output, None])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("used", "used is not empty; expected a new or an empty one"),
        ("file", "file is a file"),
        ("out", r"answers\.csv lies in the decode folder"),
        ("out/answers.csv", r"answers\.csv lies in the decode folder"),
    ],
)
def test_a_decode_folder_holds_nothing_else(made_store: Store, tmp_path: Path, name: str, words: str) -> None:
    """Files of the user and the output are safe; the output is neither in the folder nor of its name."""
    for made in ("used", "out"):
        (tmp_path / made).mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    output = tmp_path / "out" / "answers.csv"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=words):
        check_new_folder("--decode", tmp_path / name, store=made_store, queries=[], others=[output])
    assert sorted(tmp_path.rglob("*")) == before


def test_names_from_a_list_are_watched(photo: Path, tmp_path: Path) -> None:
    """What `-`, a folder or an inventory names is known late, but before the output takes its place."""
    os.link(photo, tmp_path / "answers.csv")
    other = str(tmp_path / "other.jpg")
    names = spare(map(Listed, [other, "file:///null%00byte.jpg", photo.as_uri()]), output=tmp_path / "answers.csv")
    assert [next(names).name, next(names).name] == [other, "file:///null%00byte.jpg"]
    with pytest.raises(UsageError, match=r"answers\.csv lies among the queries file:///"):
        next(names)


def test_without_an_output_file_every_name_passes(photo: Path, tmp_path: Path) -> None:
    """Standard output replaces nothing, and a file that does not exist yet is nobody's photo."""
    assert [one.name for one in spare([Listed(str(photo))], output=None)] == [str(photo)]
    listed = [Listed(str(photo)), Listed("/nowhere")]
    assert list(spare(listed, output=tmp_path / "new")) == listed
