"""Makes textured pictures without any file, and what is verified of them."""

import cv2
import numpy as np
import simplejpeg

from foundation.photos.compressed_features import compress
from foundation.photos.local_features import LONGEST_SIDE, extract
from foundation.photos.query_features import CLOSE_SIDE
from foundation.photos.thumbnail import THUMBNAIL_SIDE, shrink_frame
from serving.match.evidence import Evidence, QueryPhoto, StoredPhoto
from serving.match.verify import verify


def scene(seed: int, width: int = 480, height: int = 360) -> np.ndarray:
    """Returns a picture with structure of every size, as photographs have: uint8 [height, width, 3]."""
    generator = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (4, 8, 16, 32, 64):
        noise = generator.normal(0, 1, (max(2, cells * height // width), cells, 3)).astype(np.float32)
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) / cells**0.4
    for _ in range(60):
        place = (int(generator.integers(width)), int(generator.integers(height)))
        cv2.circle(picture, place, int(generator.integers(3, 20)), generator.normal(0, 1.5, 3).tolist(), -1)
    low, high = np.percentile(picture, (1, 99))
    return np.clip((picture - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def stored(picture: np.ndarray, *, with_thumbnail: bool = True) -> StoredPhoto:
    """Returns a picture as the archive holds it."""
    features = extract(cv2.cvtColor(shrink_frame(picture, max_side=LONGEST_SIDE), cv2.COLOR_RGB2GRAY))
    # Nearly without loss: these pictures are more colourful than photographs, and lose more than these.
    small = shrink_frame(picture, max_side=THUMBNAIL_SIDE)
    thumbnail = simplejpeg.encode_jpeg(small, quality=100, colorsubsampling="444")
    size = picture.shape[1], picture.shape[0]
    return StoredPhoto(compress(features), thumbnail if with_thumbnail else b"", lambda: size)


def query(picture: np.ndarray) -> QueryPhoto:
    """Returns a picture as a query is looked up."""
    return QueryPhoto.of(shrink_frame(picture, max_side=CLOSE_SIDE), width=picture.shape[1], height=picture.shape[0])


def verified(edited: np.ndarray, photo: np.ndarray) -> Evidence | None:
    """Returns the evidence that one picture was made from the other."""
    return verify(query(edited), stored(photo))


def proven(edited: np.ndarray, photo: np.ndarray) -> Evidence:
    """Returns the evidence, which must be there."""
    found = verified(edited, photo)
    assert found is not None
    return found


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Returns a picture turned clockwise about its middle, in a frame of the same size."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    return cv2.warpAffine(picture, turn, (width, height))


def embedded(picture: np.ndarray, *, top: int, left: int, width: int, height: int) -> np.ndarray:
    """Returns a white page with the picture on it."""
    page = np.full((height, width, 3), 255, np.uint8)
    page[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return page


def from_elsewhere(picture: np.ndarray, seed: int, pixels: float = 10) -> np.ndarray:
    """Returns a picture as a camera beside the first one sees it: what is near moves more than what is far."""
    height, width = picture.shape[:2]
    near = np.random.default_rng(seed).uniform(0, 1, (4, 6)).astype(np.float32)
    depth = cv2.resize(near, (width, height), interpolation=cv2.INTER_NEAREST)
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(picture, xs + pixels * depth, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
