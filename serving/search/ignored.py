"""Keeps up with the ignored photos of a store while it is open, and tells which of them a query may show."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from foundation.photos.compressed_features import CompressedFeatures, compress
from foundation.photos.local_features import extract
from foundation.photos.thumbnail import decode_thumbnail
from foundation.store.files import Store
from foundation.store.ignored import Ignored, IgnoredPhoto, read_ignored, read_thumbnail, standing
from foundation.vectors import exact_neighbours
from serving.search.followed import FollowedList

# A feature of a query this near to one of an ignored photo is a sign of it, as a cosine; strangers have a few.
NEAR = 0.8
LEAST_SIGNS = 3
# The length of a descriptor.
LENGTH = np.float32(127)


@dataclass(frozen=True, eq=False)
class KnownIgnored:
    """An ignored photo as queries are compared with it: the number of its entry, its features, and a thumbnail."""

    number: int
    photo: IgnoredPhoto
    features: CompressedFeatures
    thumbnail: bytes

    @property
    def content(self) -> bytes:
        """Its content hash, 32 bytes."""
        return bytes.fromhex(self.photo.content_sha256)


@dataclass(frozen=True, eq=False)
class IgnoredBank:
    """What is ignored at one time; never changed, so that a query may keep it while it is answered."""

    known: Sequence[KnownIgnored] = ()

    @cached_property
    def contents(self) -> frozenset[bytes]:
        """The contents (32 bytes each) that are never answered."""
        return frozenset(one.content for one in self.known)

    @cached_property
    def _descriptors(self) -> np.ndarray:
        return np.concatenate([one.features.descriptors for one in self.known]).astype(np.float32) / LENGTH

    @cached_property
    def _owners(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.known)), [len(one.features) for one in self.known])

    def suspects(self, features: CompressedFeatures) -> list[KnownIgnored]:
        """Returns those that a query with these features may show, the likeliest first.

        Takes 30 ms per 10,000 features of ignored photos and 300 of the query's.
        """
        if not len(features) or not len(self._owners):
            return []
        asked = features.descriptors.astype(np.float32) / LENGTH
        # Block by block: of 500 logos all cosines at once would take half a gigabyte, in each thread that answers.
        nearest, cosines = exact_neighbours(asked, self._descriptors, k=1, distance="cosine")
        near = nearest[cosines > NEAR]
        # A fence in the query, all of it near to one feature, is one sign.
        signs = np.bincount(self._owners[np.unique(near)], minlength=len(self.known))
        return [self.known[one] for one in np.argsort(-signs, kind="stable") if signs[one] >= LEAST_SIGNS]


class IgnoredPhotos(FollowedList[Ignored]):
    """The ignored photos of a store, as of the last look: `bank`."""

    bank: IgnoredBank

    def __init__(self, store: Store):
        """Takes the first look; raises ArtifactRefusedError if the list or a thumbnail is damaged or missing."""
        self._store = store
        self.bank = IgnoredBank()
        super().__init__(lambda after: read_ignored(store, after=after))

    def _take_up(self, entries: Sequence[Ignored]) -> None:
        held = {one.number: one for one in self.bank.known}
        self.bank = IgnoredBank(
            [held.get(number) or self._learn(number, photo) for number, photo in standing(entries).items()]
        )

    def _learn(self, number: int, photo: IgnoredPhoto) -> KnownIgnored:
        thumbnail = read_thumbnail(self._store, number, photo)
        grey = cv2.cvtColor(decode_thumbnail(thumbnail), cv2.COLOR_RGB2GRAY)
        # A logo may be much smaller in a query: features of every size are wanted.
        return KnownIgnored(number, photo, compress(extract(grey, by_octave=True)), thumbnail)
