"""Makes the pictures of a page: photos small enough for it, and outlines of what of one photo another one covers."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import simplejpeg

from foundation.photos import photo
from foundation.photos.thumbnail import shrink_frame
from serving.match.footprint import Size, footprint

QUALITY = 85
LIST_SIDE = 160
# Pixels of the long side: the photo is shown at this size, and of the query an embedded photo may be a small part.
PHOTO_SIDE, QUERY_SIDE = 800, 1600
# Pixels of the long side on a page of many: 5,000 queries with a match each come to 50 MB, as JPEG to twice as much.
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 208, 40
# Hundredths of the sides: labels nearer than that would cover each other.
NEAR = 8
MOST_LABELS = 3
# Pixels of the long side in the overview of such a page: a kilobyte each.
ROW_SIDE = 56


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo as a page shows it: upright `pixels`, uint8 [height, width, 3]; size and digest are the whole file's."""

    pixels: np.ndarray
    size: Size
    content_sha256: bytes


@dataclass(frozen=True)
class Outline:
    """A polygon on a picture: its points as SVG takes them, its middle, and a label; in hundredths of the sides."""

    points: str
    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Shown:
    """What a template needs of a picture: its data URI, its width for each pixel of height, and outlines on it."""

    source: str
    ratio: float
    outlines: Sequence[Outline] = ()


def picture_of(data: bytes, *, side: int) -> Picture:
    """Returns the photo of some bytes, its long side at most `side` pixels; raises PhotoError for what is none."""
    decoded = photo.decode(data, size=1, frame_side=side, with_metadata=False)
    return Picture(np.asarray(decoded.frame), Size(decoded.width, decoded.height), decoded.content_sha256)


def query_picture(data: bytes) -> tuple[bytes, Size, bytes]:
    """Returns a query as it is kept: a JPEG without EXIF, and the size and SHA-256 of the file; raises PhotoError."""
    picture = picture_of(data, side=QUERY_SIDE)
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(picture.pixels), quality=QUALITY)
    return jpeg, picture.size, picture.content_sha256


def photo_picture(data: bytes) -> Picture:
    """Returns the photo of some bytes as large as an archive's is shown; raises PhotoError."""
    return picture_of(data, side=PHOTO_SIDE)


def shown(pixels: np.ndarray, outlines: Sequence[Outline] = ()) -> Shown:
    """Returns a picture, uint8 [height, width, 3], as a template takes it."""
    height, width = pixels.shape[:2]
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=QUALITY)
    return Shown(f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}", width / height, outlines)


def small_jpeg(jpeg: bytes) -> bytes:
    """Returns a picture that is kept as JPEG, as small as rows show it: of many photos each would be loaded whole."""
    # libjpeg leaves out what it would average away.
    pixels = simplejpeg.decode_jpeg(jpeg, colorspace="RGB", min_width=LIST_SIDE, min_height=LIST_SIDE)
    small = np.ascontiguousarray(shrink_frame(pixels, max_side=LIST_SIDE))
    return simplejpeg.encode_jpeg(small, quality=QUALITY)


def thumbnail(pixels: np.ndarray, *, side: int = THUMBNAIL_SIDE) -> str:
    """Returns the data URI of a small picture, uint8 [height, width, 3]: WebP, which browsers know."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(shrink_frame(pixels, max_side=side)).save(file, "WEBP", quality=THUMBNAIL_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def outlines_of(transform: np.ndarray, source: Size, target: Size, *, label: str = "") -> list[Outline]:
    """Returns the outline of what of the target the source covers; none if it covers nothing."""
    points = (footprint(transform, source, target) + 0.5) * (100 / np.array(target))
    if not len(points):
        return []
    x, y = points.mean(axis=0)
    return [Outline(" ".join(f"{x:.2f},{y:.2f}" for x, y in points), round(float(x), 2), round(float(y), 2), label)]


def joined(outlines: Sequence[Outline]) -> list[Outline]:
    """Returns the outlines of different parts; those of about the same part become one, with all of their labels."""
    parts: list[Outline] = []
    for one in outlines:
        same = [number for number, part in enumerate(parts) if max(abs(part.x - one.x), abs(part.y - one.y)) < NEAR]
        if same:
            parts[same[0]] = replace(parts[same[0]], label=_and(parts[same[0]].label, one.label))
        else:
            parts.append(one)
    return parts


def _and(labels: str, another: str) -> str:
    """Returns the labels with another one; of many the first few, since they cover what they name."""
    if labels.endswith("…"):
        return labels
    return f"{labels}, {another if labels.count(',') < MOST_LABELS - 1 else '…'}"


def small(pixels: np.ndarray) -> Shown:
    """Returns a picture of a size for lists."""
    return shown(shrink_frame(pixels, max_side=LIST_SIDE))
