"""Judges a candidate: what was done to the photo, and how sure that is."""

from typing import NamedTuple

import numpy as np

from foundation.vectors import to_score
from serving.match.candidates import Candidate


class Verdict(NamedTuple):
    """What a candidate is to the query (`identical`, `similar`), and its score from 0 to 1."""

    name: str
    score: float


def judge(candidate: Candidate, distance: str) -> Verdict:
    """Returns the verdict: the same bytes are proof, nearness alone is none, and its score no probability yet."""
    # A near vector may be another photograph of the scene: until pixels are compared, whatever is near is `similar`.
    score = float(to_score(np.array(candidate.similarity), distance))
    return Verdict("identical" if candidate.is_identical else "similar", score)
