"""What people do to photos before they pass them on; every edit is deterministic and works on uint8 RGB [H, W, 3]."""

from collections.abc import Callable

import cv2
import numpy as np
import simplejpeg

from foundation.errors import UsageError

DARK, LIGHT, GREY = (24, 24, 24), (250, 250, 250), (205, 205, 205)
CAPTION = "BREAKING: SEEN TODAY"
# A caption bar and a screenshot's margins, as shares of the photo's height and width.
CAPTION_SHARE = 0.14
MARGIN_SHARE = 0.08


def to_jpeg(photo: np.ndarray, quality: int = 90) -> bytes:
    """Returns the photo as a JPEG of that quality (1 to 100)."""
    _require_range("quality", quality, 1, 100)
    encoded, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise UsageError(f"cannot write a photo of shape {photo.shape} as JPEG; expected at most 65,500 pixels a side")
    return data.tobytes()


def reencode(photo: np.ndarray, quality: int = 40) -> np.ndarray:
    """Returns the photo after a JPEG of low quality."""
    return simplejpeg.decode_jpeg(to_jpeg(photo, quality))


def resize(photo: np.ndarray, share: float = 0.5) -> np.ndarray:
    """Returns the photo with both sides multiplied by `share`."""
    _require_range("share", share, 0.01, 10)
    height, width = photo.shape[:2]
    size = max(1, round(width * share)), max(1, round(height * share))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)


def crop(photo: np.ndarray, share: float = 0.8) -> np.ndarray:
    """Returns the middle of the photo: `share` of its height and of its width."""
    _require_range("share", share, 0.01, 1)
    height, width = photo.shape[:2]
    kept_height, kept_width = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return photo[top : top + kept_height, left : left + kept_width].copy()


def mirror(photo: np.ndarray) -> np.ndarray:
    """Returns the photo with left and right exchanged."""
    return np.ascontiguousarray(photo[:, ::-1])


def rotate(photo: np.ndarray, degrees: float = 10) -> np.ndarray:
    """Returns the whole photo turned counter-clockwise, on a black ground that is as large as it needs."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(photo, int(degrees // 90) % 4))
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    new_width, new_height = round(width * cosine + height * sine), round(width * sine + height * cosine)
    turn[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    return cv2.warpAffine(photo, turn, (new_width, new_height), flags=cv2.INTER_LINEAR)


def overlay_caption(photo: np.ndarray, text: str = CAPTION) -> np.ndarray:
    """Returns the photo with a dark bar across its lower edge and the text in it."""
    captioned = photo.copy()
    height, width = photo.shape[:2]
    bar = max(1, round(height * CAPTION_SHARE))
    captioned[height - bar :] = DARK
    _write_line(captioned, text, top=height - bar, height=bar, left=round(width * 0.03), colour=LIGHT)
    return captioned


def brighten(photo: np.ndarray, factor: float = 1.3) -> np.ndarray:
    """Returns the photo with all values multiplied, and cut off at white."""
    _require_range("factor", factor, 0.01, 10)
    return cv2.convertScaleAbs(photo, alpha=factor)


def embed_in_screenshot(photo: np.ndarray) -> np.ndarray:
    """Returns a page as a phone shows it: a title bar, lines of text, the photo between them."""
    height, width = photo.shape[:2]
    margin = max(1, round(width * MARGIN_SHARE))
    above, below = max(3, round(height * 0.3)), max(3, round(height * 0.35))
    page = np.full((above + height + below, width + 2 * margin, 3), LIGHT, np.uint8)
    page[: above // 3] = (40, 90, 160)
    _write_line(page, "Have you seen this?", top=0, height=above // 3, left=margin, colour=LIGHT)
    _draw_text_lines(page[above // 2 : above - above // 8, margin:-margin], lines=2)
    page[above : above + height, margin : margin + width] = photo
    _draw_text_lines(page[above + height + below // 8 :, margin:-margin], lines=4)
    return page


# Each with the strength that its function has by default: what one sees on the web every day.
EDITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reencode": reencode,
    "resize": resize,
    "brighten": brighten,
    "overlay_caption": overlay_caption,
    "crop": crop,
    "mirror": mirror,
    "rotate": rotate,
    "embed_in_screenshot": embed_in_screenshot,
}


def _write_line(image: np.ndarray, text: str, *, top: int, height: int, left: int, colour) -> None:
    """Writes the text as large as the line's height and the image's width allow, in place."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    (text_width, text_height), _ = cv2.getTextSize(text, font, 1, 2)
    scale = min(0.5 * height / text_height, (image.shape[1] - 2 * left) / max(text_width, 1))
    if scale <= 0:
        return
    baseline = top + round((height + text_height * scale) / 2)
    thickness = max(1, round(2 * scale))
    cv2.putText(image, text, (left, baseline), font, scale, colour, thickness, cv2.LINE_AA)


def _draw_text_lines(area: np.ndarray, *, lines: int) -> None:
    """Paints grey bars where text would stand, in place; the last one ends early as a paragraph does."""
    height, width = area.shape[:2]
    for line in range(lines):
        top = line * height // lines
        end = width if line < lines - 1 else width * 3 // 5
        area[top : top + max(1, height // lines // 2), :end] = GREY


def _require_range(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise UsageError(f"{name} is {value}; expected {lowest} to {highest}")
