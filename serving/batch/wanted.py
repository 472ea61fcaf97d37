"""Chooses, of what all segments hold near some queries, what is looked at: candidates, and which rows to fetch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.batch.arrays import read_arrays, write_arrays
from serving.batch.found import Found
from serving.batch.prefixes import prefixes_of
from serving.batch.prepared import Asked, Prepared
from serving.match.candidates import NEAR, VOTED
from serving.search.local_candidates import LocalCandidate, local_candidates
from serving.search.merge import Nearest
from serving.search.near_features import PLACE_BITS, ROW_BITS, NearFeatures


@dataclass(frozen=True, eq=False)
class Wanted:
    """What queries are compared with, by their numbers: the nearest contents, and the photos with the most votes.

    `compared` and `told` are the contents of which segments are asked, by their prefixes, uint32 ascending: of the
    former all that is kept to compare pixels with, of the latter only what is answered. A query takes 0.3 KB.
    """

    near: Mapping[int, Nearest]
    voted: Mapping[int, Sequence[LocalCandidate]]
    compared: np.ndarray
    told: np.ndarray

    def places(self) -> np.ndarray:
        """Returns the segments and rows of all photos with votes, int64 [n, 2], ascending."""
        places = [(one.segment, one.row) for voted in self.voted.values() for one in voted]
        return np.unique(np.array(places, np.int64).reshape(-1, 2), axis=0)

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        near, voted = list(self.near.values()), list(self.voted.values())
        arrays: dict[str, np.ndarray] = {
            "near_numbers": np.array(list(self.near), np.int64),
            "similarities": np.array([one.similarities for one in near], np.float32),
            "contents": np.array([one.contents for one in near], "S32"),
            "voted_numbers": np.array(list(self.voted), np.int64),
            "counts": np.array(list(map(len, voted)), np.int64),
            "places": np.array([one[:3] for some in voted for one in some], np.int64).reshape(-1, 3),
            "votes": np.array([one.votes for some in voted for one in some], np.float64),
        }
        write_arrays(path, {**arrays, "compared": self.compared, "told": self.told})

    @classmethod
    def read(cls, path: Path) -> "Wanted":
        """Reads what `write` wrote, equal to the last bit; raises ArtifactRefusedError for a damaged file."""
        arrays = read_arrays(path)
        near = map(Nearest, arrays["similarities"], arrays["contents"])
        votes = zip(arrays["places"].tolist(), arrays["votes"].tolist(), strict=True)
        each = iter([LocalCandidate(segment, row, view, weight) for (segment, row, view), weight in votes])
        voted = [[next(each) for _ in range(count)] for count in arrays["counts"].tolist()]
        return cls(
            dict(zip(arrays["near_numbers"].tolist(), near, strict=True)),
            dict(zip(arrays["voted_numbers"].tolist(), voted, strict=True)),
            arrays["compared"],
            arrays["told"],
        )


def choose(prepared: Prepared, found: Found, *, with_similar: bool) -> Wanted:
    """Returns what is wanted of all segments for the queries of a chunk, by what `merge_found` made of all groups.

    `with_similar` says that what is no copy is answered too (`lists_similar`). What was found is not needed any more.
    """
    near, voted = _near(prepared, found), {}
    compared: list[np.ndarray] = [np.empty(0, np.uint32)]
    told: list[np.ndarray] = [np.empty(0, np.uint32)]
    for asked, (features, prefixes) in zip(prepared.asked, found.near_of_each(), strict=True):
        if asked.number in prepared.outcomes:
            continue
        voted[asked.number] = _voted(asked, features)
        compared.append(_prefixes(voted[asked.number], features, prefixes))
        known = prefixes_of(near[asked.number].contents[near[asked.number].similarities > -np.inf])
        compared.append(known[: NEAR if prepared.is_close else 0])
        told += [prefixes_of(np.array([asked.content], "S32")), known if with_similar else known[:0]]
    all_compared = np.unique(np.concatenate(compared))
    return Wanted(near, voted, all_compared, np.setdiff1d(np.concatenate(told), all_compared))


def _near(prepared: Prepared, found: Found) -> dict[int, Nearest]:
    near = prepared.near or found.near
    if near is None:
        return {}
    return {one.number: Nearest(*row) for one, *row in zip(prepared.asked, *near, strict=True)}


def _voted(asked: Asked, near: NearFeatures) -> list[LocalCandidate]:
    return local_candidates(asked.features.views(), near, VOTED) if asked.features else []


def _prefixes(voted: Sequence[LocalCandidate], near: NearFeatures, prefixes: np.ndarray) -> np.ndarray:
    """Returns the prefixes of the contents of voted photos, uint32 [voted]: each has a feature among the near ones."""
    photos = near.features >> PLACE_BITS
    return np.array([prefixes[photos == (one.segment << ROW_BITS) + one.row][0] for one in voted], np.uint32)
