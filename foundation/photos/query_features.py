"""Extracts the local features that a query is looked up by: of its whole frame, and on demand of its details too."""

from dataclasses import replace

import cv2
import numpy as np

from foundation.photos.local_features import LONGEST_SIDE, LocalFeatures, extract
from foundation.photos.thumbnail import shrink_frame

# More than an archive keeps of a photo: a query may show other things beside it, and these take their share. They are
# chosen from the strongest alone: what these do not find, the closer look finds.
QUERY_FEATURES, OF_STRONGEST = 300, 500
# The closer look finds a photo that is small in a screenshot or a collage, where few of its pixels are left at the
# archive's size. It costs about twice what the whole frame costs; a larger one costs more, and finds no more.
CLOSE_SIDE = 640
CLOSE_FEATURES = 400
# A picture of at most this longest side, perhaps a thumbnail, is enlarged to twice the size for the closer look: few of
# its corners are large enough to be found.
SMALL_SIDE = 256


def query_features(picture: np.ndarray) -> LocalFeatures:
    """Returns the features of a query, uint8 [height, width, 3] (RGB) or [height, width], in a frame of 400 pixels."""
    return extract(shrink_frame(_grey(picture), max_side=LONGEST_SIDE), most=QUERY_FEATURES, of_strongest=OF_STRONGEST)


def close_features(picture: np.ndarray) -> LocalFeatures:
    """Returns the features of a closer look at a query: more of its frame, and of its details where it has some.

    They are in pixels of the frame of `query_features`.
    """
    grey = _grey(picture)
    longest = max(grey.shape)
    whole = extract(shrink_frame(grey, max_side=LONGEST_SIDE), most=CLOSE_FEATURES, by_octave=True)
    if longest > LONGEST_SIDE:
        return _with(whole, extract(shrink_frame(grey, max_side=CLOSE_SIDE), most=CLOSE_FEATURES))
    if longest <= SMALL_SIDE:
        enlarged = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        return _with(whole, extract(enlarged, most=CLOSE_FEATURES))
    return whole


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture


def _with(features: LocalFeatures, closer: LocalFeatures) -> LocalFeatures:
    """Returns both, the latter moved to the frame of the former."""
    shares = np.array([features.width / closer.width, features.height / closer.height], np.float32)
    keypoints = closer.keypoints.copy()
    # Pixel centres lie on whole numbers: half a pixel is what the frames' corners are away from them.
    keypoints[:, :2] = (keypoints[:, :2] + 0.5) * shares - 0.5
    keypoints[:, 2] *= shares.mean()
    return replace(
        features,
        keypoints=np.concatenate([features.keypoints, keypoints]),
        descriptors=np.concatenate([features.descriptors, closer.descriptors]),
    )
