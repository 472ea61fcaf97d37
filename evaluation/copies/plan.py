"""Plans an evaluation: which photos the archive holds, which are asked, and what was done to them; nothing is read."""

import hashlib
import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from evaluation.copies.photos import SourcePhoto
from foundation.checks import require_choice, require_range
from foundation.errors import InputNotFoundError

UNEDITED, MADE_BY_OTHERS = "unedited", "made_by_others"
# Photos that the archive does not hold are asked as they are, and edited: people send edits of those too.
EDITS_OF_NEGATIVES = 2
# Other photos that an edit may use, for a collage of nine or as a background, are drawn anew for each query.
PARTNERS = 8
# They come from so few that all of them stay decoded.
PARTNER_POOL = 40
# Edits are seeded by a digest of these words and the query's name: a training, which draws from small seeds of its own,
# never makes the same ones.
DOMAIN = "firstseen evaluate copies"

Group = Literal["copy", "unedited", "negative", "scene", "made", "shown"]
# The verdict that is right for an edit of some kind, by the seed that it is drawn from: that of a chain depends on it.
Verdict = Callable[[int], str]


@dataclass(frozen=True, kw_only=True)
class CopiesOptions:
    """What to evaluate with: photos, and how many of them play which part; `kinds` of edits, none for all of them.

    `distractors` is an archive that makes the searched one larger, `scenes` a folder with one folder for each scene,
    `made_edits` one with edits that other people made, `pictures` a folder of photographs that pictures may show.
    """

    photos: str
    distractors: str | None = None
    scenes: Path | None = None
    made_edits: Path | None = None
    pictures: Path | None = None
    kinds: tuple[str, ...] = ()
    per_kind: int = 30
    negatives: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("--per-kind", self.per_kind, 1)
        require_range("--negatives", self.negatives, PARTNERS, remedy="collages are made with them")


@dataclass(frozen=True, kw_only=True)
class CopyQuery:
    """One photo to ask for: `source` is the one that it is made of, `right` the archive's that is to be found.

    Of the groups, `copy` is edited, `unedited` the very file, and `negative`, edited or not, has no photo to find; a
    `scene` is another photograph of what the archive's photos of that `scene` show, and must find none of them; `made`
    was edited by other people, so that no verdict is known; `shown` is for pictures and counts in no figure.
    """

    group: Group
    kind: str
    source: str
    verdict: str | None = None
    right: str | None = None
    scene: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the query is called, and its file."""
        return f"{self.group}-{self.kind}-{self.source}"

    @property
    def is_file(self) -> bool:
        """Whether the source is asked byte by byte, and not an edit of it."""
        return self.kind in (UNEDITED, MADE_BY_OTHERS)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The photos by the part they play, each in one part alone; `shown` are those of them that pictures may show."""

    archive: list[SourcePhoto]
    negatives: list[SourcePhoto]
    queries: list[CopyQuery]
    scenes: list[SourcePhoto] = field(default_factory=list)
    made: list[SourcePhoto] = field(default_factory=list)
    shown_partners: list[SourcePhoto] = field(default_factory=list)
    shown: frozenset[str] = frozenset()

    @property
    def photos(self) -> dict[str, SourcePhoto]:
        """All photos by their keys."""
        asked = (*self.negatives, *self.scenes, *self.made, *self.shown_partners)
        return {one.key: one for one in (*self.archive, *asked)}

    @property
    def digest(self) -> str:
        """What stands for the photos and the queries: other ones give another."""
        parts = [[one.key for one in photos] for photos in (self.archive, self.negatives, self.shown_partners)]
        words = repr((parts, [query.name for query in self.queries]))
        return hashlib.sha256(words.encode()).hexdigest()[:12]


def make_plan(
    options: CopiesOptions,
    photos: Sequence[SourcePhoto],
    verdicts: Mapping[str, Verdict],
    *,
    scenes: Sequence[SourcePhoto] = (),
    made: Mapping[SourcePhoto, SourcePhoto] = MappingProxyType({}),
    shown: Sequence[SourcePhoto] = (),
) -> Plan:
    """Returns who plays which part, and every query; the same photos, kinds and seed give the same plan.

    `verdicts` say, by kind of edit, which verdict is right; `made` are edits that other people made, with their
    originals. A photo of these, of a scene or of the shown ones is no photo of the rest. Raises UsageError for a kind
    that there is not, InputNotFoundError for too few photos.
    """
    for kind in options.kinds:
        require_choice("--kind", kind, verdicts)
    asked = {kind: verdicts[kind] for kind in options.kinds or verdicts}
    originals = set(made.values())
    negatives, archive = _split(photos, options, apart={one.key for one in (*scenes, *shown, *made, *originals)})
    archived_scenes, asked_scenes = _scenes(scenes, options.seed)
    partners, shown_archive = _cut(shuffled(shown, options.seed, "shown"), len(shown) // 2)
    return Plan(
        archive=sorted([*archive, *archived_scenes, *originals, *shown_archive], key=lambda one: one.key),
        negatives=negatives,
        scenes=list(asked_scenes),
        made=list(made),
        shown_partners=partners,
        shown=frozenset(one.key for one in shown),
        queries=[
            *_edited("copy", archive, asked, options),
            *_edited("unedited", archive, {UNEDITED: lambda _: "identical"}, options),
            *_edited("shown", shown_archive if partners else [], asked, options),
            *(CopyQuery(group="shown", kind=UNEDITED, source=one.key) for one in partners),
            *(CopyQuery(group="negative", kind=UNEDITED, source=one.key) for one in negatives),
            *_edited_negatives(negatives, asked, options.seed),
            *(CopyQuery(group="scene", kind=UNEDITED, source=one.key, scene=of) for one, of in asked_scenes.items()),
            *(CopyQuery(group="made", kind=MADE_BY_OTHERS, source=one.key, right=of.key) for one, of in made.items()),
        ],
    )


def shuffled(photos: Sequence[SourcePhoto], seed: int, purpose: str) -> list[SourcePhoto]:
    """Returns the photos in an order that depends on seed, purpose and content alone: others do not change it."""
    return sorted(photos, key=lambda one: seed_of(seed, purpose, one.key))


def seed_of(*words: object) -> int:
    """Returns the seed, of 128 bits, that belongs to some words."""
    text = "\0".join(map(str, (DOMAIN, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def edit_seed(query: CopyQuery, seed: int) -> int:
    """Returns the seed that the edit of a query is drawn from."""
    return seed_of(seed, query.name)


def partners_of(query: CopyQuery, plan: Plan, seed: int) -> list[SourcePhoto]:
    """Returns the other photos that an edit of the query may use; none of them is in the archive."""
    pool = plan.shown_partners if query.group == "shown" else plan.negatives
    chooser = random.Random(seed_of(seed, "partners", query.name))  # noqa: S311 (nothing to keep secret)
    return chooser.choices(pool[:PARTNER_POOL], k=PARTNERS)


def _split(
    photos: Sequence[SourcePhoto], options: CopiesOptions, *, apart: Set[str]
) -> tuple[list[SourcePhoto], list[SourcePhoto]]:
    """Returns the negatives and the archive, both without what is kept apart; raises InputNotFoundError if too few."""
    rest = shuffled([one for one in photos if one.key not in apart], options.seed, "split")
    # Sources of edits are half of the photos at the least: an archive that is too small finds everything.
    negatives, archive = _cut(rest, min(options.negatives, len(rest) // 2))
    if len(negatives) < PARTNERS:
        raise InputNotFoundError(f"{len(rest)} photos in {options.photos}; expected at least {2 * PARTNERS}")
    return negatives, archive


def _cut(photos: list[SourcePhoto], count: int) -> tuple[list[SourcePhoto], list[SourcePhoto]]:
    return photos[:count], photos[count:]


def _edited(
    group: Group, sources: Sequence[SourcePhoto], verdicts: Mapping[str, Verdict], options: CopiesOptions
) -> list[CopyQuery]:
    """Returns the queries of each kind, each kind of other photos."""
    queries = [
        CopyQuery(group=group, kind=kind, source=one.key, right=one.key)
        for kind in verdicts
        for one in shuffled(sources, options.seed, kind)[: options.per_kind]
    ]
    return [replace(one, verdict=verdicts[one.kind](edit_seed(one, options.seed))) for one in queries]


def _edited_negatives(negatives: Sequence[SourcePhoto], kinds: Iterable[str], seed: int) -> list[CopyQuery]:
    """Returns the queries of edited negatives, each edited in different ways; kinds take turns, in a drawn order."""
    drawn = sorted(kinds, key=lambda kind: seed_of(seed, "negatives", kind))
    turns = itertools.cycle(drawn)
    return [
        CopyQuery(group="negative", kind=kind, source=one.key)
        for one in negatives
        for kind in itertools.islice(turns, min(EDITS_OF_NEGATIVES, len(drawn)))
    ]


def _scenes(photos: Sequence[SourcePhoto], seed: int) -> tuple[list[SourcePhoto], dict[SourcePhoto, tuple[str, ...]]]:
    """Returns every second photo of each scene, for the archive, and the others with the keys of those of theirs."""
    by_folder: dict[str, list[SourcePhoto]] = defaultdict(list)
    for one in shuffled(photos, seed, "scenes"):
        by_folder[one.folder].append(one)
    scenes = [scene for scene in by_folder.values() if len(scene) > 1]
    archived = [one for scene in scenes for one in scene[::2]]
    return archived, {one: tuple(other.key for other in scene[::2]) for scene in scenes for one in scene[1::2]}
