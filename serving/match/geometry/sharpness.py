"""Makes two pictures that are compared equally sharp: blur and noise alone are no reason to call them different."""

import cv2
import numpy as np

from serving.match.geometry.alignment import Scene, compare

# What a blur by the first many pixels of the thumbnail takes away is fine detail, and what a mean over the second many
# takes away beyond it is coarse detail.
FINE, COARSE = 1.0, 13
# Both are looked at in windows of this side, where the coarse one is at least so strong, in grey levels.
WINDOW, LEAST_COARSE = 21, 1.5
# Blurs that are tried, as standard deviations in pixels of the thumbnail.
BLURS = (0.5, 0.8, 1.2, 1.8, 2.6, 3.6)
# Compression makes as much of a difference; blurring for less would only cost detail.
ALIKE = 1.15


def equally_sharp(scene: Scene, transform: np.ndarray) -> Scene:
    """Returns the scene with the sharper picture blurred, by a transform between the full photos."""
    pair = compare(transform, scene)
    photo, query = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float32) for one in (pair.thumbnail, pair.warped))
    inside = cv2.erode(pair.mask, np.ones((WINDOW, WINDOW), np.uint8), borderValue=0) > 0
    of_photo, of_query = _fineness(photo, inside), _fineness(query, inside)
    if of_photo > ALIKE * of_query:
        blur = _blur_to(of_query, photo, inside)
        return scene._replace(thumbnail=cv2.GaussianBlur(scene.thumbnail, (0, 0), blur))
    if of_query > ALIKE * of_photo:
        # A pixel of the picture is of another size than one of the thumbnail.
        size = float(np.sqrt(abs(np.linalg.det(scene.between(transform)[:2, :2]))))
        blur = _blur_to(of_photo, query, inside) / max(size, 0.1)
        return scene._replace(picture=cv2.GaussianBlur(scene.picture, (0, 0), blur))
    return scene


def _blur_to(fineness: float, grey: np.ndarray, inside: np.ndarray) -> float:
    """Returns the least blur after which a picture has no more fine detail than that."""
    for blur in BLURS:
        if _fineness(cv2.GaussianBlur(grey, (0, 0), blur), inside) <= fineness:
            return blur
    return BLURS[-1]


def _fineness(grey: np.ndarray, inside: np.ndarray) -> float:
    """Returns how strong fine detail is beside coarse one, 0 without any: the median, as half of it may be covered."""
    soft = cv2.GaussianBlur(grey, (0, 0), FINE)
    fine = cv2.blur(np.abs(grey - soft), (WINDOW, WINDOW))
    coarse = cv2.blur(np.abs(soft - cv2.blur(grey, (COARSE, COARSE))), (WINDOW, WINDOW))
    textured = inside & (coarse > LEAST_COARSE)
    return float(np.median(fine[textured] / coarse[textured])) if textured.any() else 0.0
