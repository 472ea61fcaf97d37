"""Holds what is asked of segments for a chunk of queries: their vectors and local features, without their pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures
from foundation.photos.local_features import DESCRIPTOR, LocalFeatures
from serving.batch.arrays import from_text, joined, read_arrays, split, to_text, write_arrays
from serving.match.candidates import VOTING
from serving.match.evidence import Size, features_outside, seen_as
from serving.match.match import Outcome
from serving.search.merge import Nearest

HASH_BYTES = 32


@dataclass(frozen=True, eq=False)
class Features:
    """The local features of a query, and where neither they nor its pixels prove anything.

    `unusable` is bool [height, width] of its picture: what an ignored photo covers; None where all of it counts.
    """

    found: LocalFeatures
    unusable: np.ndarray | None = None

    def views(self) -> list[CompressedFeatures]:
        """Returns the features that vote, in each view of the query that has votes."""
        usable = self.found if self.unusable is None else features_outside(self.found, self.unusable)
        return [seen_as(usable, view) for view in VOTING]


@dataclass(frozen=True, eq=False)
class Asked:
    """One query as it is searched: `number` is its place in the chunk, from 0; `batch` that of its batch.

    `content` is its hash (32 bytes), `size` that of the full photo, `vector` float32 [dimension]. `is_blank` and
    `is_simple` are those of `DecodedQuery`. `features` are None where the archive keeps none.
    """

    number: int
    batch: int
    content: bytes
    size: Size
    is_blank: bool
    is_simple: bool
    vector: np.ndarray
    features: Features | None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A chunk of queries as it is searched: what each one asks, or why it asks nothing.

    Queries have their places in `names`: `outcomes` are those of rejects and of ignored photos, `known` the contents
    (32 bytes) of those that were answered before, and `asked` is the rest; ignored photos stand there too, since the
    vectors of a batch are searched together. A closer look holds only the queries that need it, and `near` is what the
    first look found near `asked`.

    A query takes 32 KB of the file, 85 KB at a closer look.
    """

    names: Sequence[str]
    outcomes: Mapping[int, Outcome]
    known: Mapping[int, bytes]
    asked: Sequence[Asked]
    near: Nearest | None = None

    @property
    def is_close(self) -> bool:
        """Whether this is the closer look."""
        return self.near is not None

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        near = {} if self.near is None else {f"near_{name}": array for name, array in self.near._asdict().items()}
        outcomes = {number: [one.status, one.reason] for number, one in self.outcomes.items()}
        known = {number: content.hex() for number, content in self.known.items()}
        text = to_text({"names": list(self.names), "outcomes": outcomes, "known": known})
        write_arrays(path, {"text": text, **_asked_arrays(self.asked), **_feature_arrays(self.asked), **near})

    @classmethod
    def read(cls, path: Path) -> "Prepared":
        """Reads what `write` wrote, equal to the last bit; raises ArtifactRefusedError for a damaged file."""
        arrays = read_arrays(path)
        text = from_text(arrays["text"])
        names = text["names"]
        return cls(
            names,
            {int(number): Outcome(names[int(number)], *held) for number, held in text["outcomes"].items()},
            {int(number): bytes.fromhex(content) for number, content in text["known"].items()},
            _asked(arrays),
            Nearest(arrays["near_similarities"], arrays["near_contents"]) if "near_contents" in arrays else None,
        )


def _asked_arrays(asked: Sequence[Asked]) -> dict[str, np.ndarray]:
    numbers = [(one.number, one.batch, *one.size, one.is_blank, one.is_simple) for one in asked]
    contents = np.frombuffer(b"".join(one.content for one in asked), np.uint8)
    return {
        "asked": np.array(numbers, np.int64).reshape(-1, 6),
        "contents": contents.reshape(-1, HASH_BYTES),
        "vectors": np.array([one.vector for one in asked], np.float32).reshape(len(asked), -1 if asked else 0),
    }


def _feature_arrays(asked: Sequence[Asked]) -> dict[str, np.ndarray]:
    held = [(place, one.features) for place, one in enumerate(asked) if one.features]
    found = [features.found for _, features in held]
    frames = [(place, one.width, one.height, len(one)) for (place, _), one in zip(held, found, strict=True)]
    areas = {place: features.unusable for place, features in held if features.unusable is not None}
    return {
        "frames": np.array(frames, np.int64).reshape(-1, 4),
        "keypoints": joined([one.keypoints for one in found], np.empty((0, 4), np.float32)),
        "descriptors": joined([one.descriptors for one in found], np.empty((0, DESCRIPTOR), np.uint8)),
        "areas": np.array([(place, *area.shape) for place, area in areas.items()], np.int64).reshape(-1, 3),
        "unusable": np.packbits(joined([area.ravel() for area in areas.values()], np.empty(0, bool))),
    }


def _asked(arrays: Mapping[str, np.ndarray]) -> list[Asked]:
    features = _features(arrays)
    rows = zip(arrays["asked"].tolist(), arrays["contents"], arrays["vectors"], strict=True)
    return [
        Asked(number, batch, content.tobytes(), (width, height), bool(blank), bool(simple), vector, features.get(place))
        for place, ((number, batch, width, height, blank, simple), content, vector) in enumerate(rows)
    ]


def _features(arrays: Mapping[str, np.ndarray]) -> dict[int, Features]:
    places, widths, heights, counts = arrays["frames"].T
    keypoints, descriptors = split(arrays["keypoints"], counts), split(arrays["descriptors"], counts)
    frames: Any = zip(places.tolist(), widths.tolist(), heights.tolist(), keypoints, descriptors, strict=True)
    areas = _areas(arrays)
    return {place: Features(LocalFeatures(*frame), areas.get(place)) for place, *frame in frames}


def _areas(arrays: Mapping[str, np.ndarray]) -> dict[int, np.ndarray]:
    shapes = arrays["areas"][:, 1:]
    sizes = shapes.prod(axis=1)
    parts = split(np.unpackbits(arrays["unusable"]).astype(bool)[: sizes.sum()], sizes)
    places = arrays["areas"][:, 0].tolist()
    return {place: part.reshape(shape) for place, part, shape in zip(places, parts, shapes.tolist(), strict=True)}
