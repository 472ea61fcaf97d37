"""What is wanted of segments for a query: of what it may be compared with everything, of the rest what is answered."""

from pathlib import Path

import numpy as np
import pytest

from foundation.store.content_hashes import hash_array
from serving.batch.found import NOTHING, Found
from serving.batch.prefixes import prefixes_of
from serving.batch.prepared import Asked, Prepared
from serving.batch.wanted import Wanted, choose
from serving.match.candidates import NEAR
from serving.match.match import Outcome
from serving.search.merge import Nearest
from serving.search.near_features import NearFeatures
from tests.builders import content

NAMES = ["a", "b", "c", "d", "e"]
# The last one stands for none.
NEAREST = Nearest(np.array([[0.9, 0.8, 0.7, 0.6, -np.inf]], np.float32), hash_array(map(content, NAMES))[None])


def prefixes(*names: str) -> list[int]:
    """Returns the prefixes of the contents of these names."""
    return np.unique(prefixes_of(hash_array(map(content, names)))).tolist()


def chosen(*, is_close: bool, with_similar: bool = False, is_ignored: bool = False) -> Wanted:
    """Returns what is wanted for a query without features, the content of which is "own"."""
    asked = Asked(3, 0, content("own"), (4, 3), False, False, np.zeros(2, np.float32), None)
    outcomes = {3: Outcome("q", "not_matchable", "ignored")} if is_ignored else {}
    prepared = Prepared(["q"] * 4, outcomes, {}, [asked], NEAREST if is_close else None)
    *features, named = NOTHING
    found = Found(5, None if is_close else NEAREST, np.zeros(1, np.int64), NearFeatures(*features), named)
    return choose(prepared, found, with_similar=with_similar)


def test_the_query_itself_is_told_and_the_nearest_are_compared_at_a_closer_look():
    """What a vector alone finds is worth a comparison of pixels there, as far as `NEAR`."""
    first, close = chosen(is_close=False), chosen(is_close=True)
    assert (first.compared.tolist(), first.told.tolist()) == ([], prefixes("own"))
    assert (close.compared.tolist(), close.told.tolist()) == (prefixes(*NAMES[:NEAR]), prefixes("own"))


@pytest.mark.parametrize("is_close", [False, True])
def test_what_is_similar_is_told_if_it_is_answered(is_close: bool):
    """All that is near, and nothing where there is none; what is compared need not be told besides."""
    wanted = chosen(is_close=is_close, with_similar=True)
    compared = NAMES[: NEAR if is_close else 0]
    assert wanted.told.tolist() == prefixes("own", *(name for name in NAMES[:4] if name not in compared))


def test_nothing_is_wanted_for_a_query_that_has_its_outcome(tmp_path: Path):
    """It is searched with its batch, and what was found is left."""
    wanted = chosen(is_close=False, is_ignored=True)
    assert (wanted.compared.tolist(), wanted.told.tolist(), wanted.voted) == ([], [], {})
    wanted.write(tmp_path / "wanted")
    read = Wanted.read(tmp_path / "wanted")
    assert [array.tobytes() for array in read.near[3]] == [array[0].tobytes() for array in NEAREST]
