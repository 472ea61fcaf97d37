"""Judges a candidate: what was done to the photo, and how sure that is."""

from typing import NamedTuple

import numpy as np

from foundation.vectors import to_score
from serving.answers import NO_COPY
from serving.match.calibrate import score
from serving.match.candidates import Candidate
from serving.match.changes import changes
from serving.match.evidence import Evidence

# At this probability the archive's photo is called the source of the query.
IS_COPY = 0.5
# So many keypoints that tell one story prove a copy; where there are fewer, so many blocks of pixels must agree.
PROVING_INLIERS = 12
PROVING_BLOCKS, PROVING_AGREEMENT = 6, 0.5
# Two strangers may bear one logo, with keypoints enough; so many blocks at least agree in a copy.
LEAST_AGREEMENT = 0.1
# What is no copy shows the same scene if so many keypoints lie alike: strangers share a few by chance.
SAME_SCENE_INLIERS = 8


class Verdict(NamedTuple):
    """What a candidate is to the query, in a word of DESIGN.md, and its score from 0 to 1."""

    name: str
    score: float

    @property
    def is_copy(self) -> bool:
        """Whether the candidate's photo is in the query: not only similar, nor another photograph of the scene."""
        return self.name not in NO_COPY


def judge(evidence: Evidence) -> Verdict:
    """Returns the verdict on a verified candidate: what was done, or that it is no copy, and its probability.

    One change gives its name, several are `edited`. A mirrored copy is no proof of anything more than a copy: every
    change that was found is in `serving.match.changes`, and in words in `serving.match.description`.
    """
    probability = score(evidence) * (1 if is_proved(evidence) else IS_COPY)
    if probability < IS_COPY:
        return Verdict("same_scene" if evidence.inliers >= SAME_SCENE_INLIERS else "similar", probability)
    found = changes(evidence)
    return Verdict(found[0] if len(found) == 1 else "edited", probability)


def is_proved(evidence: Evidence) -> bool:
    """Returns whether there is enough of it: little evidence, however well it fits, is met among strangers too."""
    dense = evidence.dense
    if dense is not None and dense.agrees(agreement=PROVING_AGREEMENT, blocks=PROVING_BLOCKS):
        return True
    return evidence.inliers >= PROVING_INLIERS and (dense is None or dense.agreement >= LEAST_AGREEMENT)


def judge_unverified(candidate: Candidate, distance: str) -> Verdict:
    """Returns the verdict where no pixels were compared: the same bytes are proof, nearness alone is none."""
    value = float(to_score(np.array(candidate.similarity), distance))
    return Verdict("identical" if candidate.is_identical else "similar", value)


def judge_unproved(candidate: Candidate, distance: str) -> Verdict:
    """Returns the verdict where pixels could be compared and nothing was found in common: alike, and no copy."""
    return Verdict("similar", IS_COPY * judge_unverified(candidate, distance).score)
