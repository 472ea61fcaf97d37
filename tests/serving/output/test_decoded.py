"""Decoded candidates: the right vector for each match, and whole files only."""

import csv
import errno
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foundation.archives.archive import read
from foundation.encoder import load
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos import photo
from foundation.store.files import Store
from foundation.store.occurrences import FirstSeen
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from serving.match.candidates import Candidate
from serving.match.match import Match, Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.match.verdict import Verdict
from serving.output import decoded
from serving.output.decoded import check_decoder, write_decoded
from serving.search.snapshot import Place
from serving.searcher import Searcher
from tests.builders import add_encoder, add_run, unit_vectors
from tests.conftest import Desk
from tests.photos import jpeg, scene, write_archive


def found(row: int, photo_id: str = "a/photo.jpg") -> Match:
    """Returns a match that the index holds in that row."""
    place = Place(0, row)
    candidate = Candidate(b"", 0.5, False, [place])
    return Match({"photo_id": photo_id}, place, candidate, Verdict("similar", 0.75), FirstSeen(None, "", 1))


def outcome(*matches: Match, query: str = "query.jpg") -> Outcome:
    """Returns what a query came to: some matches, or none."""
    return Outcome(query, "matched" if matches else "no_match", matches=matches)


def flat(places: Sequence[Place], *, channels: int = 3) -> np.ndarray:
    """Decodes a place into a flat picture whose level is its row, in 255 levels."""
    levels = np.array([one.row for one in places], np.float32)[:, None, None, None] / 255
    return np.broadcast_to(levels, (len(places), 4, 4, channels))


def write(folder: Path, *outcomes: Outcome, decode=flat) -> list[list[str]]:
    """Writes the pictures and returns the rows of the list of files."""
    assert list(write_decoded(outcomes, folder=folder, decode=decode)) == list(outcomes)
    with (folder / decoded.MANIFEST).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def pixels(path: Path) -> np.ndarray:
    """Returns the pixels of a picture."""
    with Image.open(path) as image:
        return np.asarray(image)


def test_each_match_has_a_picture_named_by_query_and_rank(tmp_path: Path) -> None:
    """Queries count from 1, those without a match too; the same query asked twice has files of its own."""
    rows = write(tmp_path / "new", outcome(found(10), found(20, "b\r")), outcome(), outcome(found(30)))
    assert rows == [
        ["query", "rank", "photo_id", "file"],
        ["query.jpg", "1", "a/photo.jpg", "000001-01.png"],
        ["query.jpg", "2", "b\r", "000001-02.png"],
        ["query.jpg", "1", "a/photo.jpg", "000003-01.png"],
    ]
    assert sorted(os.listdir(tmp_path / "new")) == [*(row[3] for row in rows[1:]), "decoded.csv"]
    levels = [pixels(tmp_path / "new" / row[3])[0, 0].tolist() for row in rows[1:]]
    assert levels == [[10] * 3, [20] * 3, [30] * 3]


def test_without_a_match_nothing_is_written(tmp_path: Path) -> None:
    """An empty folder with an empty list would tell of pictures that there are none; every answer still passes."""
    answers = [Outcome("a.jpg", "rejected", "empty_file"), outcome()]
    assert list(write_decoded(answers, folder=tmp_path / "new", decode=flat)) == answers
    assert os.listdir(tmp_path) == []


def test_a_late_match_is_listed_by_its_query(tmp_path: Path) -> None:
    """The folder is made at the first picture; the queries before it were counted."""
    rows = write(tmp_path / "new", outcome(), outcome(found(3)))
    assert rows[1:] == [["query.jpg", "1", "a/photo.jpg", "000002-01.png"]]


def test_the_list_of_files_holds_no_formulas(tmp_path: Path) -> None:
    """Names are from strangers, and the list is opened in spreadsheets as the answers are."""
    rows = write(tmp_path, outcome(found(1, "@home/1.jpg"), query="=cmd.jpg"))
    assert rows[1] == ["'=cmd.jpg", "1", "'@home/1.jpg", "000001-01.png"]


def test_grey_is_written_as_grey(tmp_path: Path) -> None:
    """One channel gives a PNG of one channel."""
    write(tmp_path, outcome(found(7)), decode=partial(flat, channels=1))
    assert pixels(tmp_path / "000001-01.png").tolist() == [[7] * 4] * 4


def test_values_are_rounded_and_kept_in_range(tmp_path: Path) -> None:
    """A decoder may end a little outside of [0, 1]: that must not wrap around."""
    values = np.array([-0.3, 0.0, 0.5019, 1.0, 1.7], np.float32).reshape(1, 1, 5, 1)
    write(tmp_path, outcome(found(0)), decode=lambda places: values)
    assert pixels(tmp_path / "000001-01.png").tolist() == [[0, 0, 128, 255, 255]]


def test_few_matches_are_decoded_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand matches are never in memory together, and each still gets its own picture."""
    monkeypatch.setattr(decoded, "DECODED_AT_ONCE", 3)
    sizes = []

    def decode(places: Sequence[Place]) -> np.ndarray:
        sizes.append(len(places))
        return flat(places)

    rows = write(tmp_path, outcome(*map(found, range(1, 8))), decode=decode)
    assert sizes == [3, 3, 1]
    assert [pixels(tmp_path / row[3])[0, 0, 0] for row in rows[1:]] == list(range(1, 8))


def test_answers_are_streamed(tmp_path: Path) -> None:
    """The first query's pictures are there before the second query is looked up, the list of files not yet."""

    def answers() -> Iterator[Outcome]:
        yield outcome(found(1))
        assert (tmp_path / "000001-01.png").exists()
        assert not (tmp_path / "decoded.csv").exists()

    assert len(list(write_decoded(answers(), folder=tmp_path, decode=flat))) == 1
    assert (tmp_path / "decoded.csv").exists()


def test_an_interruption_leaves_whole_pictures_and_no_list(tmp_path: Path) -> None:
    """Without decoded.csv the folder says of itself that it is not finished."""
    stream = write_decoded([outcome(found(1)), outcome(found(2))], folder=tmp_path, decode=flat)
    next(stream)
    stream.close()
    assert os.listdir(tmp_path) == ["000001-01.png"]
    assert pixels(tmp_path / "000001-01.png").shape == (4, 4, 3)


def test_a_full_disk_leaves_no_torn_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the picture; neither it nor its temporary file stays."""

    def full(image: Image.Image, path: Path, kind: str) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match=r"No space left on device: .*000001-01\.png"):
        list(write_decoded([outcome(found(1))], folder=tmp_path, decode=flat))
    assert os.listdir(tmp_path) == []


@pytest.fixture
def made_store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", create=True)


def test_an_encoder_without_a_decoder_is_refused_by_its_description(made_store: Store) -> None:
    """The encoder is named; its model is never loaded: there is none."""
    encoder_id = add_encoder(made_store, dimension=8)
    add_run(made_store, encoder_id, "run1", unit_vectors(20, 8))
    build_index(made_store)
    with pytest.raises(UsageError, match=f"{encoder_id} has no decoder; .* leave out --decode"):
        check_decoder(made_store, None)


def test_an_autoencoder_has_a_decoder(live_desk: Desk) -> None:
    """What `train` puts into the store can be decoded; a snapshot that is not there is named."""
    check_decoder(Store(live_desk.store), 1)
    with pytest.raises(InputNotFoundError, match="no snapshot 7"):
        check_decoder(Store(live_desk.store), 7)


@pytest.mark.parametrize("exact_below", [0, 1_000])
def test_a_picture_is_the_decoder_s_answer_to_the_encoder_s(store: Path, tmp_path: Path, exact_below: int) -> None:
    """Against an oracle that encodes and decodes the archive's photo itself: exact and ScaNN segments, identical
    matches and similar ones."""
    paths = write_archive(tmp_path / "archive", photos=24)
    encode(EncodeOptions(archive=str(tmp_path / "archive"), store=str(store), features="none"))
    (segment,) = build_index(Store(store), options=IndexOptions(exact_below=exact_below, min_recall=0)).added
    assert segment.kind == ("exact" if exact_below else "scann")
    queries = [Query("same", paths[3].read_bytes), Query("edited", lambda: jpeg(scene(5), quality=40))]
    with Searcher.open(str(store), options=MatchOptions(top_k=4)) as searcher:
        stream = write_decoded(searcher.find(queries), folder=tmp_path / "new", decode=searcher.decode)
        matches = [match for outcome in stream for match in outcome.matches]
        pictures = searcher.decode([match.place for match in matches])
    assert [matches[0].verdict.name, matches[4].verdict.name] == ["identical", "similar"]
    encoder = load(Store(store), segment.encoder_id)
    squares = [photo.decode(read(match.photo["uri"]), size=encoder.spec.size).pixels for match in matches]
    expected = encoder.decode(encoder.encode(np.stack(squares)))
    np.testing.assert_allclose(pictures, expected, atol=2e-6)
    assert np.ptp(expected, axis=0).max() > 1e-3  # else any match's picture would do for every other
    written = [pixels(path) for path in sorted((tmp_path / "new").glob("*.png"))]
    np.testing.assert_allclose(np.stack(written), 255 * np.clip(expected, 0, 1), atol=0.51)
