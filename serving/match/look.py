"""Looks at a query once: finds its candidates, examines them, and says whether a closer look is needed."""

from collections.abc import Sequence

import numpy as np

from serving.match.candidates import find_candidates
from serving.match.decoded_query import DecodedQuery
from serving.match.evidence import QueryPhoto
from serving.match.examine import examine_all, explains
from serving.match.ignored import is_doubtful
from serving.match.match import Match
from serving.match.options import MatchOptions
from serving.search.ignored import IgnoredBank
from serving.search.merge import Nearest
from serving.search.searched_snapshot import SearchedSnapshot


def lists_similar(options: MatchOptions, *, has_local_features: bool) -> bool:
    """Returns whether what is no copy is examined and listed, too."""
    # Without local features nothing is proved, and what is similar is all that there is.
    return options.similar or not has_local_features


def look(
    opened: SearchedSnapshot,
    asked: DecodedQuery,
    pictured: QueryPhoto | None,
    *,
    vector: np.ndarray,
    near: Nearest,
    options: MatchOptions,
) -> list[Match]:
    """Returns what the candidates of a query come to; `pictured` is it without what it shows of ignored photos."""
    candidates = find_candidates(opened, asked.photo, vector, near, pictured)
    with_similar = lists_similar(options, has_local_features=opened.has_local_features)
    return examine_all(opened, pictured, candidates, with_similar=with_similar)


def needs_closer_look(asked: DecodedQuery, matches: Sequence[Match], bank: IgnoredBank, options: MatchOptions) -> bool:
    """Returns whether a query is looked at once more, by what the first look came to."""
    # A photo that is small in a screenshot or a collage shows only in the details, and a blurred one hardly at all:
    # what is not yet explained gets a closer look, which takes several times as long.
    if asked.pictured is None or asked.pictured.is_close or options.effort != "full":
        return False
    is_settled = any(map(explains, matches)) and not (bank.known and any(map(is_doubtful, matches)))
    return not is_settled
