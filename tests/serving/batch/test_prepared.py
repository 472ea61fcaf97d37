"""What is asked for a chunk of queries is read as it was written, and votes as the queries do."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from foundation.errors import TemporaryError
from foundation.photos.query_features import query_features
from serving.batch.prepare import prepare
from serving.batch.prepared import Asked, Features, Prepared
from serving.match.candidates import VOTING
from serving.match.evidence import QueryPhoto
from serving.match.match import Outcome
from serving.match.query import Query
from serving.match.threads import MatchThreads
from serving.search.ignored import IgnoredBank
from serving.search.merge import Nearest
from tests.builders import encoder_spec
from tests.serving.match.pictures import scene

PICTURE = scene(3)
LEFT = np.arange(PICTURE.shape[1]) < 200


def asked(number: int, features: Features | None) -> Asked:
    """Returns a query with these features."""
    vector = np.array([0.1, np.nan, -0.0], np.float32) + number
    # NumPy's texts lose the zeros at their end.
    content = bytes([number]) + bytes(31)
    return Asked(number, 0, content, (480, 360), number == 2, number == 3, vector, features)


def left_out() -> np.ndarray:
    """Returns the left part of the picture as an area: bool [height, width]."""
    return np.broadcast_to(LEFT, PICTURE.shape[:2]).copy()


def test_it_is_read_as_it_was_written(tmp_path: Path):
    """Names of every kind, outcomes, known contents, features with an area and without or none, and a closer look."""
    features = query_features(PICTURE)
    queries = [asked(0, Features(features)), asked(2, Features(features, left_out())), asked(3, None)]
    near = Nearest(np.array([[0.5], [0.25], [-np.inf]], np.float32), np.array([[b"a"], [b"b\0"], [b""]], "S32"))
    outcome = Outcome("\udcff.jpg", "rejected", "corrupt: ä")
    prepared = Prepared(["a", "\udcff.jpg", "c", "d", "e"], {1: outcome}, {4: bytes(32)}, queries, near)
    prepared.write(tmp_path / "prepared")
    found = Prepared.read(tmp_path / "prepared")
    assert (found.names, found.outcomes, found.known) == (prepared.names, prepared.outcomes, prepared.known)
    assert found.is_close
    assert [bytes_of(one) for one in found.asked] == [bytes_of(one) for one in queries]
    assert [array.tobytes() for array in found.near or ()] == [array.tobytes() for array in near]


def bytes_of(one: Asked) -> list[object]:
    """Returns all of a query, arrays as bytes."""
    numbers: list[object] = [one.number, one.batch, one.content, one.size, one.is_blank, one.is_simple]
    if one.features is None:
        return [*numbers, one.vector.tobytes()]
    found, area = one.features.found, one.features.unusable
    arrays = [one.vector, found.keypoints, found.descriptors, *([] if area is None else [area])]
    return [*numbers, found.width, found.height, *((array.dtype, array.shape, array.tobytes()) for array in arrays)]


def test_a_chunk_that_asks_nothing_is_read_too(tmp_path: Path):
    """All of its queries were rejected, or there is none."""
    Prepared([], {}, {}, []).write(tmp_path / "prepared")
    found = Prepared.read(tmp_path / "prepared")
    assert (found.names, found.asked, found.is_close) == ([], [], False)


def test_it_votes_as_the_query_does():
    """In each view, without what lies in an area that counts for nothing."""
    query = QueryPhoto.of(PICTURE, width=480, height=360)
    for features, expected in (
        (Features(query.local_features), query),
        (Features(query.local_features, left_out()), query.without(left_out())),
    ):
        for view, voting in zip(VOTING, features.views(), strict=True):
            np.testing.assert_array_equal(voting.descriptors, expected.view(view).descriptors)
            np.testing.assert_array_equal(voting.keypoints, expected.view(view).keypoints)
    assert 0 < query.without(left_out()).features < query.features


def test_an_outage_is_no_reject():
    """A chunk of which a photo does not come now is prepared another time."""

    def away() -> bytes:
        raise TemporaryError("cannot read s3://b/a.jpg: 503; run again later")

    def never(*_: object) -> bool:
        return False

    given: dict[str, Any] = {"with_features": True, "bank": IgnoredBank([]), "batch_size": 2, "known": never}
    with MatchThreads() as threads, pytest.raises(TemporaryError, match="run again later"):
        prepare([Query("a.jpg", away)], SimpleNamespace(spec=encoder_spec()), **given, pool=threads.pool)  # type: ignore[arg-type]
