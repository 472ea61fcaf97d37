"""Photos in, matches out, against an oracle that compares the query with every photo of the archive."""

import shutil
import tempfile
import threading
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from foundation.archives.uris import uri_of
from foundation.encoder import load
from foundation.errors import ArtifactRefusedError, UsageError
from foundation.photos import photo
from foundation.store.files import Store
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.answers import Answer
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.searcher import Searcher
from tests.conftest import Desk
from tests.photos import jpeg, scene, write_catalog


def from_bytes(data: bytes, name: str = "bytes") -> Query:
    """Returns a query of some bytes."""
    return Query(name, lambda: data)


def ask(desk: Desk, *queries: str | Query, **options) -> list[list[Answer]]:
    """Opens the live snapshot and looks the queries up."""
    with Searcher.open(str(desk.store), options=MatchOptions(**options)) as searcher:
        return list(searcher.lookup(queries))


@pytest.fixture(scope="module")
def plain_desk(live_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The same photos encoded without local features: nothing is compared but vectors."""
    store = tmp_path_factory.mktemp("plain")
    shutil.copytree(live_desk.store / "encoders", store / "encoders")
    encode(EncodeOptions(archive=str(live_desk.archive), store=str(store), features="none"))
    build_index(Store(store))
    return Desk(store, live_desk.archive)


@pytest.fixture(scope="module")
def archive_photos(live_desk: Desk) -> list[Path]:
    """The photos of the archive, in order."""
    return sorted(live_desk.archive.rglob("*.jpg"))


def test_every_photo_finds_itself_first_and_identical(live_desk: Desk, archive_photos: list[Path]):
    """The same bytes are rank 1 with score 1, its date and its place."""
    answers = ask(live_desk, *map(str, archive_photos), batch_size=3)
    for number, (path, found) in enumerate(zip(archive_photos, answers, strict=True)):
        first = found[0]
        assert (first.rank, first.verdict, first.status) == (1, "identical", "matched")
        assert first.score == pytest.approx(1.0, abs=1e-5)
        assert first.photo_id == str(path.relative_to(live_desk.archive))
        assert first.first_seen_at == datetime(2010 + number, 1, 1, tzinfo=timezone.utc)
        assert first.first_seen_uri == first.uri == uri_of(path)
        assert (first.caption, first.credit, first.occurrences) == (f"Scene {number}", "Desk", 1)


def test_ranks_and_similarities_are_those_of_exact_search(plain_desk: Desk, archive_photos: list[Path]):
    """A re-encoded photo gets the ten photos in the order of their cosines, scores mapped to [0, 1]."""
    data = jpeg(scene(3), quality=40)
    (found,) = ask(plain_desk, from_bytes(data))
    encoder = load(Store(plain_desk.store), found[0].encoder)
    files = [data, *(path.read_bytes() for path in archive_photos)]
    squares = [photo.decode(one, size=encoder.spec.size).pixels for one in files]
    vectors = encoder.encode(np.stack(squares))
    cosines = vectors[1:] @ vectors[0]
    order = np.argsort(-cosines)
    assert [answer.photo_id for answer in found] == [
        str(archive_photos[number].relative_to(plain_desk.archive)) for number in order
    ]
    np.testing.assert_allclose([answer.similarity for answer in found], cosines[order], atol=1e-4)
    np.testing.assert_allclose([answer.score for answer in found], (1 + cosines[order]) / 2, atol=1e-4)
    assert found[0].photo_id.endswith("photo-003.jpg")
    assert {answer.verdict for answer in found} == {"similar"}


def test_bad_queries_are_rows_and_stop_nobody(live_desk: Desk, archive_photos: list[Path], tmp_path: Path):
    """Missing, empty and foreign files are `rejected` with their reason, each in its place."""
    queries = [str(tmp_path / "gone.jpg"), from_bytes(b""), str(archive_photos[0]), from_bytes(b"<html>" * 9)]
    answers = ask(live_desk, *queries)
    assert [found[0].status for found in answers] == ["rejected", "rejected", "matched", "rejected"]
    reasons = [found[0].reason for found in answers if found[0].reason]
    assert [reason.split(":")[0] for reason in reasons] == ["unreadable", "empty_file", "not_a_photo"]
    assert all(found[0].rank is None and len(found) == 1 for found in answers if found[0].reason)


def test_a_blank_photo_is_not_matchable(live_desk: Desk):
    """One flat colour resembles every other flat colour: no verdict is better than a wrong one."""
    (found,) = ask(live_desk, from_bytes(jpeg(np.full((64, 64, 3), 255, np.uint8))))
    assert [answer.status for answer in found] == ["not_matchable"]
    assert found[0].reason.startswith("blank")


def test_a_known_blank_photo_is_still_found_by_its_bytes(desk: Desk, tmp_path: Path):
    """The same bytes are identical whatever they show."""
    folder = tmp_path / "blank"
    folder.mkdir()
    (folder / "grey.jpg").write_bytes(jpeg(np.full((64, 64, 3), 128, np.uint8)))
    encode(EncodeOptions(archive=str(folder), store=str(desk.store)))
    build_index(Store(desk.store))
    (found,) = ask(desk, str(folder / "grey.jpg"))
    assert (found[0].verdict, found[0].photo_id) == ("identical", "grey.jpg")


def test_top_k_and_min_score_bound_the_answers(plain_desk: Desk, archive_photos: list[Path]):
    """At most k matches; none below the score; a query that loses all of them is `no_match`."""
    query = str(archive_photos[2])
    assert [answer.rank for answer in ask(plain_desk, query, top_k=3)[0]] == [1, 2, 3]
    assert [answer.verdict for answer in ask(plain_desk, query, min_score=0.9999)[0]] == ["identical"]
    (nothing,) = ask(plain_desk, from_bytes(jpeg(scene(77))), min_score=1.0)
    assert [(answer.status, answer.rank) for answer in nothing] == [("no_match", None)]


@pytest.mark.parametrize("options", [{"top_k": 0}, {"top_k": 1001}, {"min_score": 1.5}, {"batch_size": 0}])
def test_options_out_of_range_are_refused(options: dict):
    """The error names the value."""
    with pytest.raises(UsageError, match=str(next(iter(options.values())))):
        MatchOptions(**options)


def test_copies_in_two_segments_are_one_match_with_the_earliest_date(desk: Desk, archive_photos: list[Path], tmp_path):
    """A later run that holds the same bytes with an earlier date moves first seen, and is counted."""
    folder = tmp_path / "attic"
    folder.mkdir()
    (folder / "found.jpg").write_bytes(archive_photos[4].read_bytes())
    catalog = write_catalog(tmp_path / "attic.csv", [{"photo_id": "found.jpg", "published_at": "1999-12-31"}])
    encode(EncodeOptions(archive=str(folder), store=str(desk.store), catalog=catalog))
    snapshot = build_index(Store(desk.store)).snapshot
    assert len(snapshot.segments) == 2
    (found,) = ask(desk, str(archive_photos[4]), similar=True)
    first = found[0]
    assert (first.verdict, first.occurrences, first.photo_id) == ("identical", 2, "found.jpg")
    assert first.first_seen_at == datetime(1999, 12, 31, tzinfo=timezone.utc)
    assert first.first_seen_uri == uri_of(folder / "found.jpg")
    assert len({answer.photo_id for answer in found}) == len(found) == 10


def test_no_queries_give_no_answers(live_desk: Desk):
    """An empty stream is not an error here."""
    assert ask(live_desk) == []


def test_a_closed_searcher_leaves_no_thread(live_desk: Desk, archive_photos: list[Path]):
    """However many were opened, and whether their answers were all asked for or not."""
    with Searcher.open(str(live_desk.store)) as searcher:
        answers = searcher.lookup(map(str, archive_photos))
        assert next(answers)[0].verdict == "identical"
        assert any(thread.name.startswith("decode") for thread in threading.enumerate())
        answers.close()
    for thread in threading.enumerate():
        if thread.name.startswith("decode"):
            thread.join(5)
    assert not any(thread.name.startswith("decode") for thread in threading.enumerate())


def test_a_closed_searcher_says_so(live_desk: Desk, archive_photos: list[Path]):
    """Nothing can be looked up after its threads have ended; the error is one of ours."""
    with Searcher.open(str(live_desk.store)) as searcher:
        pass
    with pytest.raises(UsageError, match="this searcher is closed"):
        searcher.lookup(archive_photos)


def test_a_query_that_is_a_path_is_looked_up(live_desk: Desk, archive_photos: list[Path]):
    """It is named in the answer as its text would be."""
    with Searcher.open(str(live_desk.store)) as searcher:
        (answers,) = searcher.lookup(archive_photos[:1])
    assert (answers[0].query, answers[0].verdict) == (str(archive_photos[0]), "identical")


@pytest.mark.parametrize("as_kind", [str, Path, Query.of])
def test_one_query_in_no_list_is_refused(live_desk: Desk, archive_photos: list[Path], as_kind):
    """A text is an iterable of letters: each was looked up as a file and rejected."""
    query = as_kind(str(archive_photos[0]))
    with Searcher.open(str(live_desk.store)) as searcher, pytest.raises(UsageError, match="expected a list of them"):
        searcher.lookup(query)


def test_an_encoder_that_cannot_be_loaded_leaves_nothing_open(desk: Desk):
    """What was opened before it is closed again, and the error is the encoder's."""
    (model,) = desk.store.glob("encoders/*/saved_model.pb")
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(ArtifactRefusedError, match=r"saved_model\.pb is damaged"):
        Searcher.open(str(desk.store))


def test_queries_are_decoded_ahead_and_no_further(live_desk: Desk, archive_photos: list[Path]):
    """A list of a million queries is not read before its first answer."""
    asked = []

    def names():
        for number in range(1_000):
            asked.append(number)
            yield str(archive_photos[number % 10])

    with Searcher.open(str(live_desk.store), options=MatchOptions(batch_size=4)) as searcher:
        answers = searcher.lookup(names())
        next(answers)
        assert len(asked) <= 12
        answers.close()


def test_what_the_index_knows_can_be_shown(plain_desk: Desk, archive_photos: list[Path]):
    """The vectors of some places go to the decoder, each in its row; an encoder without a decoder says so."""
    with Searcher.open(str(plain_desk.store)) as searcher:
        outcome = next(searcher.find([str(archive_photos[3])]))
        places = [match.place for match in outcome.matches[:2]]
        has_photos = any(name.startswith("decoder/") for name in searcher._encoder.spec.files)
        assert has_photos
        shown = searcher.decode(places)
        alone = searcher.decode(places[1:])
    size = shown.shape[1]
    assert shown.shape == (2, size, size, 3)
    assert shown.dtype == np.float32
    np.testing.assert_allclose(shown[1], alone[0], atol=1e-5)
    assert not np.allclose(shown[0], shown[1], atol=1e-3)


def test_a_store_in_a_bucket_answers_like_its_copy_here(live_desk: Desk, archive_photos: list[Path], bucket: str):
    """The files are copied to this machine, answers are the same, and `close` removes the copies."""
    remote = Store(bucket)
    for path in live_desk.store.rglob("*"):
        if path.is_file():
            remote.upload(str(path.relative_to(live_desk.store)), path)
    queries = list(map(str, archive_photos[:3]))
    here = set(Path(tempfile.gettempdir()).glob("firstseen-*"))
    with Searcher.open(bucket) as searcher:
        new = set(Path(tempfile.gettempdir()).glob("firstseen-*")) - here
        copies = [folder for folder in new if (folder / "photos.parquet").exists()]
        assert copies
        found = list(searcher.lookup(queries))
    assert found == ask(live_desk, *queries)
    assert not any(copy.exists() for copy in copies)
