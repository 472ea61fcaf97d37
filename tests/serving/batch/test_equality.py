"""Answers gathered from groups of segments are those of a searcher that has all of them open, field by field."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from foundation.encoder import SavedEncoder
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from serving.answers import Answer
from serving.ignore import ignore_photo
from serving.match.claim import parse_claimed_date
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.searcher import Searcher
from tests.builders import day
from tests.photos import jpeg
from tests.segments import publish_segments
from tests.serving.batch.gathering import Gathering
from tests.serving.batch.mixed_archive import (
    MixedArchive,
    colour,
    content_of,
    photo,
    queries,
    with_placard,
    write_mixed,
)
from tests.serving.match.pictures import scene

Groups = Sequence[Sequence[int]]
TOGETHER, TWO, EACH = [[0, 1, 2, 3, 4]], [[0, 2, 3], [1, 4]], [[0], [1], [2], [3], [4]]
# What is looked at closer takes most of the time.
QUICK = ("same in two", "same and flat", "saved again", "cropped", "two beside each other", "gone", "blank", "missing")


@pytest.fixture(scope="module")
def store(encoder_store: Path, tmp_path_factory: pytest.TempPathFactory, only_encoder) -> Store:
    """A store of five segments, of every kind."""
    return write_mixed(encoder_store, tmp_path_factory.mktemp("mixed") / "store", only_encoder(encoder_store))


def looked_up(store: Store, asked: Sequence[Query], **options: Any) -> list[list[Answer]]:
    """Returns the answers of the small path."""
    with Searcher.open(store, options=MatchOptions(**options)) as searcher:
        return list(searcher.lookup(asked))


def gathered(store: Store, folder: Path, groups: Groups, asked: Sequence[Query], **options: Any) -> list[list[Answer]]:
    """Returns the answers that are gathered from groups of segments."""
    with Gathering(store, groups, folder, **options) as gathering:
        return gathering.answers(asked, chunk=16)


def verdicts(answers: Sequence[Sequence[Answer]]) -> dict[str, str | None]:
    """Returns the verdict on the first match of each query, or what became of it, by its name."""
    return {found[0].query: found[0].verdict or found[0].status for found in answers}


@pytest.fixture(scope="module")
def of_searcher(store: Store) -> list[list[Answer]]:
    """What a searcher answers to queries of every kind."""
    return looked_up(store, queries(), batch_size=8)


@pytest.mark.parametrize("groups", [TOGETHER, TWO, EACH], ids=["together", "two", "each"])
def test_answers_are_those_of_a_searcher(store: Store, of_searcher: list, groups: Groups, tmp_path: Path):
    """However segments are grouped, and in whatever order their findings are merged."""
    assert gathered(store, tmp_path, groups, queries(), batch_size=8) == of_searcher


def test_queries_find_something_of_every_kind(of_searcher: list[list[Answer]]):
    """The equality above would say nothing of a store in which nothing is found."""
    found = verdicts(of_searcher)
    assert found["same"] == found["same in two"] == found["same and flat"] == "identical"
    assert (found["cropped"], found["mirrored"], found["negative"]) == ("cropped", "mirrored", "recoloured")
    assert found["small in a page"] in ("embedded", "edited")
    assert found["gone"] == found["stranger"] == "no_match"
    assert found["simple"] == "not_matchable"
    assert (found["blank"], found["missing"], found["no photo"]) == ("not_matchable", "rejected", "rejected")
    by_name = {found[0].query: found[0] for found in of_searcher}
    assert (by_name["saved again"].published_at, by_name["mirrored"].published_at) == (day(3), day(50))
    # A content and its twin, whose hashes begin alike, are two.
    assert len(of_searcher[[query.name for query in queries()].index("cropped")]) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"effort": "fast"},
        {"similar": True, "top_k": 3},
        {"min_score": 0.97, "top_k": 1, "claimed_date": parse_claimed_date("1970-03-01")},
    ],
    ids=["fast", "similar", "claimed"],
)
def test_every_option_counts(store: Store, options: dict[str, Any], tmp_path: Path):
    """Few matches, good ones, similar ones, claims, and no closer look are as a searcher has them."""
    asked = [query for query in queries() if query.name in QUICK]
    expected = looked_up(store, asked, **options)
    assert gathered(store, tmp_path, EACH, asked, **options) == expected
    if "claimed_date" in options:
        assert {one.claim for found in expected for one in found} >= {"contradicted", "not_contradicted"}


@pytest.mark.parametrize("segments", [0, 2])
def test_without_local_features_what_is_near_is_the_answer(
    encoder_store: Path, only_encoder, tmp_path: Path, segments: int
):
    """Of two segments by their vectors alone; of a snapshot without segments, which one group without any searches."""
    archive = MixedArchive(Store(shutil.copytree(encoder_store, tmp_path / "store")), only_encoder(encoder_store))
    added = [archive.add(f"s{number}", range(4 * number, 4 * number + 5), features=False) for number in range(segments)]
    publish_segments(archive.store, archive.encoder_id, *added)
    asked = [query for query in queries() if query.name in (*QUICK, "stranger")]
    expected = looked_up(archive.store, asked, top_k=3)
    groups = [[number] for number in range(segments)] or [[]]
    assert gathered(archive.store, tmp_path, groups, asked, top_k=3) == expected
    assert verdicts(expected)["cropped"] == ("similar" if segments else "no_match")


def test_what_is_withdrawn_is_not_answered_and_looked_past(store: Store, tmp_path: Path):
    """Retracted contents, retracted names, and an ignored photo, alone, or in a query beside another one."""
    listed = Store(shutil.copytree(store.local_root, tmp_path / "listed"))
    (tmp_path / "ignored.jpg").write_bytes(photo(2))
    ignore_photo(listed, str(tmp_path / "ignored.jpg"), why="a placard")
    by_name = RetractedPhoto(archive="file:///other", photo_id="other.jpg", content_sha256="0" * 64)
    by_content = RetractedPhoto(archive="file:///archive", photo_id="first-4.jpg", content_sha256=content_of(4).hex())
    add_retraction(listed, [by_name, by_content], why="asked to")
    beside = np.concatenate([colour(2), colour(3)], axis=1)
    page = cv2.resize(scene(50), (640, 480))
    page[100:325, 200:500] = colour(2)
    more = {"ignored beside": beside, "ignored in a page": page, "ignored": colour(2), "placard": with_placard(60)}
    asked = [query for query in queries() if query.name in (*QUICK, "mirrored", "negative")]
    asked += [Query(name, lambda shown=shown: jpeg(shown, quality=85)) for name, shown in more.items()]
    expected = looked_up(listed, asked)
    assert gathered(listed, tmp_path, TWO, asked) == expected
    found = verdicts(expected)
    assert (found["mirrored"], found["ignored"], found["negative"]) == ("not_matchable", "not_matchable", "no_match")
    assert found["ignored beside"] in ("embedded", "edited")
    # The archive holds a photo that carries the placard, too, and that is no reason to find it.
    assert found["placard"] == "no_match"


def test_a_broken_vector_costs_a_query_its_neighbours_alone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What its features vote for is found all the same, and so is what others are near to."""
    encode = SavedEncoder.encode

    def broken(self: SavedEncoder, photos: np.ndarray) -> np.ndarray:
        vectors = encode(self, photos)
        vectors[1] = np.nan
        return vectors

    monkeypatch.setattr(SavedEncoder, "encode", broken)
    asked = [query for query in queries() if query.name in ("saved again", "cropped", "same")]
    expected = looked_up(store, asked, similar=True)
    assert str(gathered(store, tmp_path, TWO, asked, similar=True)) == str(expected)
    assert verdicts(expected)["saved again"] == "reencoded"
