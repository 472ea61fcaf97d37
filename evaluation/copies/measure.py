"""Measures the answers to all queries: by kind of edit and in all, false alarms, verdicts, dates, calibration."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

import numpy as np

from evaluation.copies.answered import COPY, Answered
from evaluation.copies.edits import part_of
from evaluation.copies.metrics import (
    expected_calibration_error,
    micro_average_precision,
    recall_at_precision,
    reliability,
)
from evaluation.copies.plan import UNEDITED, CopyQuery, Group
from evaluation.copies.result import ArchiveResult, Detection, FalseAlarms, KindResult, LookupCosts

NOT_FOUND = "not found"

# A query with what was answered to it.
Asked = tuple[CopyQuery, Answered]


def measure(asked: Sequence[Asked], *, photos: int, dates: Mapping[str, datetime], costs: LookupCosts) -> ArchiveResult:
    """Returns what the answers of the product are worth; `dates` are those that are right, by photo."""
    groups = by_group(asked)
    copies, negatives, scenes = groups["copy"], groups["negative"], groups["scene"]
    # What others made is told apart from the copies that we draw, and so is the very file, which its digest finds.
    kinds = _grouped([*copies, *groups["made"], *groups["unedited"]], lambda query: query.kind)
    parts = _grouped([*copies, *groups["made"]], lambda query: part_of(query.kind))
    bins = reliability(*predictions([*copies, *negatives, *scenes], top=1))
    return ArchiveResult(
        photos=photos,
        copies=detection(copies, negatives, dates=dates),
        parts={part: detection(members, negatives, dates=dates) for part, members in parts.items()},
        kinds=[
            KindResult(
                kind=kind,
                part=part_of(kind),
                verdicts=sorted({query.verdict for query, _ in members if query.verdict}),
                detection=detection(members, negatives, dates=dates),
            )
            for kind, members in kinds.items()
        ],
        false_alarms=false_alarms(negatives, scenes),
        confusion=confusion([*copies, *groups["unedited"]]),
        reliability=bins,
        calibration_error=expected_calibration_error(bins) if bins else None,
        costs=costs,
    )


def _grouped(asked: Sequence[Asked], name_of: Callable[[CopyQuery], str]) -> dict[str, list[Asked]]:
    groups: dict[str, list[Asked]] = defaultdict(list)
    for query, answered in asked:
        groups[name_of(query)].append((query, answered))
    return groups


def by_group(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """Returns the queries by their group, each group there even if it is empty."""
    return {group: [] for group in get_args(Group)} | _grouped(asked, lambda query: query.group)


def detection(
    copies: Sequence[Asked], negatives: Sequence[Asked], *, dates: Mapping[str, datetime] | None = None
) -> Detection:
    """Returns how the photos of `copies` are found among all predictions for them and for the negatives.

    With `dates`, those that are right by photo, scores are read as probabilities, and verdicts and dates are judged.
    """
    scores, right = predictions([*copies, *negatives])
    firsts = [(query, answered.found[0]) for query, answered in copies if answered.found]
    found = [(query, first) for query, first in firsts if first.photo == query.right]
    named = [(query, answered.answer_for(query.right)) for query, answered in copies]
    result = Detection(
        queries=len(copies),
        recall_at_1=len(found) / len(copies),
        micro_average_precision=micro_average_precision(scores, right, positives=len(copies)),
        recall_at_precision_90=recall_at_precision(scores, right, positives=len(copies))[0],
    )
    if dates is None:
        return result
    return replace(
        result,
        found_as_copy=sum(one is not None and one.score >= COPY for _, one in named) / len(copies),
        right_verdict=_share([first.verdict == query.verdict for query, first in found if query.verdict]),
        right_date=_share([first.first_seen_at == dates[first.photo] for _, first in found]),
    )


def _share(judged: Sequence[bool]) -> float | None:
    return sum(judged) / len(judged) if judged else None


def predictions(asked: Sequence[Asked], *, top: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns (scores float64 [n], right bool [n]) of every answer to every query, or of its first `top` ones."""
    pairs = [(one.score, one.photo == query.right) for query, answered in asked for one in answered.found[:top]]
    return np.array([score for score, _ in pairs], np.float64), np.array([right for _, right in pairs], bool)


def false_alarms(negatives: Sequence[Asked], scenes: Sequence[Asked]) -> dict[str, FalseAlarms]:
    """Returns, by what was asked, how often it was answered as a copy, which none of it is.

    A pair is another photograph of a scene, asked, with one of those in the archive: each may be taken for its copy.
    """
    edited = [(query, answered) for query, answered in negatives if query.kind != UNEDITED]
    unedited = [(query, answered) for query, answered in negatives if query.kind == UNEDITED]
    parts = {"negatives": negatives, "negatives, unedited": unedited, "negatives, edited": edited}
    alarms = {
        name: FalseAlarms(asked=len(asked), answered=count_above(asked, COPY)) for name, asked in parts.items() if asked
    }
    if scenes:
        taken = [sum(one.score >= COPY and one.photo in query.scene for one in each.found) for query, each in scenes]
        pairs = sum(len(query.scene) for query, _ in scenes)
        alarms["other photographs of a scene"] = FalseAlarms(asked=len(scenes), answered=sum(map(bool, taken)))
        alarms["pairs of photographs of a scene"] = FalseAlarms(asked=pairs, answered=sum(taken))
    return alarms


def count_above(asked: Sequence[Asked], score: float) -> int:
    """Returns the number of queries of which an answer has this score or more."""
    return sum(any(one.score >= score for one in answered.found) for _, answered in asked)


def share_above(asked: Sequence[Asked], score: float) -> float:
    """Returns the share of those queries."""
    return count_above(asked, score) / max(1, len(asked))


def false_alarms_at_precision(copies: Sequence[Asked], negatives: Sequence[Asked]) -> float | None:
    """Returns how many of 1,000 negatives are answered by what scores enough for 90 % of the predictions to be right.

    None where no score is high enough.
    """
    _, threshold = recall_at_precision(*predictions([*copies, *negatives]), positives=len(copies))
    return None if threshold is None else 1_000 * share_above(negatives, threshold)


def confusion(copies: Sequence[Asked]) -> dict[str, dict[str, int]]:
    """Returns, by the verdict that is right, how often each was given to the photo that was to be found."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for query, answered in copies:
        one = answered.answer_for(query.right)
        counts[query.verdict or ""][(one.verdict if one else None) or NOT_FOUND] += 1
    return {expected: dict(sorted(given.items())) for expected, given in sorted(counts.items())}
