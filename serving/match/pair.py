"""Lays a query, as one of its views has it, beside a photo of the archive: what matches, and how transforms convert."""

from dataclasses import dataclass

import numpy as np

from serving.match.evidence import QueryPhoto, Size, StoredPhoto, View
from serving.match.geometry.alignment import Comparison, Scene, compare
from serving.match.geometry.matching import Matches, consistent, match
from serving.match.geometry.transform import apply, is_possible, mirroring, overlap, scaling

# How far an inlier may be off, in pixels of the photo's feature frame, while a transform is sought.
THRESHOLD = 2.5
# Where both show the whole photo, a glimpse is of the thumbnail halved so often; it is larger where a part is shown,
# down to this share of the photo's area.
COARSEST, LEAST_SHOWN = 2, 1 / 16


@dataclass(frozen=True, eq=False)
class Pair:
    """A view of a query and a photo: all keypoints that match, and those of them that tell one story.

    Transforms are float64 [3, 3], from the query to the photo: either between their feature frames, the query's as the
    view has it, or between the full photos, the view's mirror included.
    """

    query: QueryPhoto
    stored: StoredPhoto
    view: View
    all_matches: Matches
    matches: Matches

    @classmethod
    def of(cls, query: QueryPhoto, stored: StoredPhoto, view: View) -> "Pair":
        """Returns the pair, matched."""
        found = match(query.view(view), stored.features)
        return cls(query, stored, view, found, found.take(consistent(found)))

    @property
    def frames(self) -> tuple[Size, Size]:
        """The sizes of both feature frames."""
        of_query, of_photo = self.query.view(self.view), self.stored.features
        return (of_query.width, of_query.height), (of_photo.width, of_photo.height)

    @property
    def sizes(self) -> tuple[Size, Size]:
        """The sizes of both full photos."""
        return (self.query.width, self.query.height), self.stored.size

    def between_photos(self, transform: np.ndarray) -> np.ndarray:
        """Returns a transform between the feature frames as one between the full photos."""
        return np.asarray(scaling(self.frames[1], self.sizes[1]) @ transform @ self._to_frame())

    def between_frames(self, transform: np.ndarray) -> np.ndarray:
        """Returns a transform between the full photos as one between the feature frames."""
        return np.asarray(scaling(self.sizes[1], self.frames[1]) @ transform @ np.linalg.inv(self._to_frame()))

    def _to_frame(self) -> np.ndarray:
        frame = self.frames[0]
        mirror = mirroring(frame[0]) if self.view.is_mirrored else np.eye(3)
        return mirror @ scaling((self.query.width, self.query.height), frame)

    def distances(self, transform: np.ndarray) -> np.ndarray:
        """Returns how far each match is off by a transform between the frames: float64 [n], pixels of the photo's."""
        moved = apply(transform, self.matches.query[:, :2])
        return np.asarray(np.linalg.norm(moved - self.matches.photo[:, :2], axis=1))

    def agreeing(self, transform: np.ndarray) -> int:
        """Returns how many matches agree with a transform between the frames, by place; none with an impossible one."""
        if not is_possible(transform, *self.frames):
            return 0
        places = self.matches.photo[self.distances(transform) < 2 * THRESHOLD][:, :2]
        # One place has several keypoints where angles are ambiguous.
        return len(np.unique(np.round(places), axis=0))

    def scene(self, transform: np.ndarray) -> Scene | None:
        """Returns the pictures to compare by a transform between the full photos; None if the photo has none."""
        if self.stored.thumbnail is None:
            return None
        return Scene.of(self.query, self.stored.thumbnail.at(0), self.sizes[1], self.view, transform)

    def glimpse(self, transform: np.ndarray) -> Comparison | None:
        """Returns small pictures, aligned by a transform between the frames; None if the photo has none."""
        if self.stored.thumbnail is None:
            return None
        # The photo's frame stands for its full size, which would have to be read for each stranger.
        frame = self.frames[1]
        transform = transform @ self._to_frame()
        _, shown = overlap(transform, (self.query.width, self.query.height), frame)
        thumbnail = self.stored.thumbnail.at(COARSEST - round(np.log2(1 / max(shown, LEAST_SHOWN)) / 2))
        return compare(transform, Scene.of(self.query, thumbnail, frame, self.view, transform))
