"""Judges a snapshot before it is published: edits of a sample of its photos are asked, and have to be found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from evaluation.baselines import perceptual_hash
from evaluation.copies.answered import COPY, Answered, from_answers
from evaluation.copies.edits import draw_edit
from evaluation.copies.measure import Asked, detection, share_above
from evaluation.copies.plan import CopyQuery, Group, seed_of
from foundation.archives.archive import read
from foundation.checks import require_choice, require_range
from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.photos import photo
from foundation.photos.photo import PhotoError
from foundation.store.files import Store
from foundation.store.snapshots import Snapshot
from serving.answers import Answer
from serving.match.query import Query
from serving.searcher import Searcher
from training.edits.degrade import to_jpeg
from training.edits.kinds import COMMON, KINDS

FALSE_ALARMS = "false_alarms"
# The highest value that each level can have; false alarms are per 1,000 photos, and a limit from above.
LEVELS = {"recall_at_1": 1, "micro_average_precision": 1, "recall_at_precision_90": 1, FALSE_ALARMS: 1_000}
# Everyday edits in turn, those left out that put other photos beside the one that is to be found.
EDITS = tuple(name for name in COMMON if not KINDS[name].needs_others)
# Perceptual hashes of two photos that differ in so few of 64 bits are taken for the same picture saved twice.
SAME_BITS, HASHED_SIZE = 6, 64


@dataclass(frozen=True)
class Sampled:
    """A photo of the sample: its uri, and every uri where an archive holds the same bytes."""

    uri: str
    uris: frozenset[str]


def parse_levels(text: str) -> dict[str, float]:
    """Returns the levels of `NAME=VALUE,NAME=VALUE`; raises UsageError naming what is wrong with them."""
    levels: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        require_choice("a level of --gate", name, LEVELS)
        try:
            levels[name] = float(value)
        except ValueError as error:
            raise UsageError(f"--gate {part.strip()} has no number; expected {name}=NUMBER") from error
        require_range(f"--gate {name}", levels[name], 0, LEVELS[name])
    return levels


def make_gate(
    store: Store, levels: Mapping[str, float], *, photos: int, tell: Callable[[str], None]
) -> Callable[[Snapshot], None]:
    """Returns the function that raises ArtifactRefusedError for a snapshot which falls below a level.

    `photos` is how many are sampled. `tell(line)` gets what was measured. Raises UsageError for fewer photos than one.
    """
    require_range("--gate-photos", photos, 1)

    def gate(snapshot: Snapshot) -> None:
        measured = measure_sample(store, snapshot, photos=photos)
        tell("gate: " + ", ".join(f"{name} {value:.3f}" for name, value in measured.items()))
        if failed := [name for name in levels if is_below(name, measured[name], levels[name])]:
            listed = ", ".join(f"{name} {measured[name]:.3f} (expected {levels[name]:g})" for name in failed)
            raise ArtifactRefusedError(
                f"the snapshot falls below --gate: {listed}; nothing was published: index with another encoder, or "
                "lower the levels"
            )

    return gate


def is_below(name: str, measured: float, level: float) -> bool:
    """Returns whether a figure misses its level; false alarms miss it by being more."""
    return measured > level if name == FALSE_ALARMS else measured < level


def measure_sample(store: Store, snapshot: Snapshot, *, photos: int) -> dict[str, float]:
    """Returns the figures of `LEVELS` over a sample of the photos of a snapshot, which need not be published.

    Each photo is asked edited, one everyday edit after the other, and must be found; and as it is, when each answer
    but itself with a score of at least 0.5 is a false alarm. The same picture saved twice counts as the same photo.
    Raises InputNotFoundError if half of the photos cannot be read where they were encoded.
    """
    with Searcher.open(store, snapshot=snapshot) as searcher:
        return _measure(searcher, photos)


def _measure(searcher: Searcher, photos: int) -> dict[str, float]:
    sample = sample_photos(searcher, photos)
    usable = [(one, data) for one in sample if (data := _read(one.uri)) is not None]
    if len(usable) <= len(sample) / 2:
        raise InputNotFoundError(
            f"{len(sample) - len(usable)} of {len(sample)} photos, {sample[0].uri} among them, cannot be read; "
            "expected them where they were encoded: --gate asks for edits of them"
        )
    edited = [Query(one.uri, partial(_edited, data, number)) for number, (one, data) in enumerate(usable)]
    unedited = [Query(one.uri, partial(bytes, data)) for one, data in usable]
    answered = [
        _answered(one, answers)
        for (one, _), answers in zip([*usable, *usable], searcher.lookup([*edited, *unedited]), strict=True)
    ]
    copies: list[Asked] = [(_query("copy", one), each) for (one, _), each in zip(usable, answered, strict=False)]
    others = [_without_itself(one, each) for (one, _), each in zip(usable, answered[len(usable) :], strict=True)]
    found = detection(copies, others)
    return {
        **{name: getattr(found, name) for name in LEVELS if name != FALSE_ALARMS},
        FALSE_ALARMS: 1_000 * share_above(others, COPY),
    }


def sample_photos(searcher: Searcher, photos: int) -> list[Sampled]:
    """Returns so many contents that can be found, or all of them; the same segments give the same ones."""
    seed = seed_of("gate", *(segment.segment_id for segment in searcher.snapshot.segments))
    sampled = searcher.sample(photos, np.random.default_rng(seed))
    return [Sampled(some[0].uri, frozenset(one.uri for one in some)) for some in sampled]


def _read(uri: str) -> bytes | None:
    try:
        return read(uri)
    except PhotoError:
        return None


def _edited(data: bytes, number: int) -> bytes:
    """Returns the photo after one of the everyday edits; they take turns."""
    edit = draw_edit(EDITS[number % len(EDITS)], seed_of("gate", number), [])
    return to_jpeg(edit(photo.decode(data, with_metadata=False).pixels))


def _query(group: Group, sampled: Sampled) -> CopyQuery:
    return CopyQuery(group=group, kind="gate", source=sampled.uri, verdict="edited", right=sampled.uri)


def _answered(sampled: Sampled, answers: Sequence[Answer]) -> Answered:
    """Returns the answers to a query that was made of this photo, which is named by its own uri wherever it lies."""

    def photo_of(answer: Answer) -> str:
        uri = answer.uri or ""
        return sampled.uri if _is_same(sampled, uri) else uri

    return from_answers(answers, photo_of)


def _without_itself(sampled: Sampled, answered: Answered) -> Asked:
    others = [one for one in answered.found if one.photo != sampled.uri]
    return _query("negative", sampled), Answered(answered.status, others)


def _is_same(sampled: Sampled, uri: str) -> bool:
    # Archives hold pictures that were saved twice, at other sizes: to answer one for the other is no mistake.
    return uri in sampled.uris or bool(np.count_nonzero(_hash(sampled.uri) != _hash(uri)) <= SAME_BITS)


@lru_cache(10_000)
def _hash(uri: str) -> np.ndarray:
    """Returns the perceptual hash of a photo, float32 [64]; NaN, which differs from all, if it cannot be read."""
    try:
        pixels = photo.decode(read(uri), size=HASHED_SIZE, with_metadata=False).pixels
    except PhotoError:
        return np.full(64, np.nan, np.float32)
    return perceptual_hash(pixels[None])[0]
