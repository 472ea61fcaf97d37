"""Draws the parts that made scenes have in common: colours, gradients, smooth noise, clouds, windows of photographs.

Pictures are float32 [height, width, 3], 0 to 255; functions that add something change the picture that they are given.
"""

import cv2
import numpy as np

Generator = np.random.Generator
Colour = np.ndarray  # float32 [3], 0 to 255


def random_window(generator: Generator, photographs: list[np.ndarray], *, share: float) -> np.ndarray:
    """Returns a random part of a random photograph, `share` of its height and width."""
    photograph = photographs[generator.integers(len(photographs))]
    height, width = (max(8, int(side * share)) for side in photograph.shape[:2])
    top = generator.integers(0, photograph.shape[0] - height + 1)
    left = generator.integers(0, photograph.shape[1] - width + 1)
    return photograph[top : top + height, left : left + width]


def random_colour(generator: Generator, lowest: float, highest: float, *, vivid: float = 0.5) -> Colour:
    """Returns a random colour; `vivid` 0 is grey, 1 as saturated as chance has it, which is garish for surfaces."""
    colour = generator.uniform(lowest, highest, 3).astype(np.float32)
    return colour.mean() + (colour - colour.mean()) * vivid


def sky_colours(generator: Generator) -> tuple[Colour, Colour]:
    """Returns the colours of the zenith and of the horizon: noon, dusk, dawn, overcast or storm."""
    pairs = (
        ((70, 130, 210), (190, 215, 235)),
        ((35, 40, 90), (240, 140, 80)),
        ((110, 90, 140), (250, 200, 170)),
        ((150, 155, 165), (205, 205, 205)),
        ((45, 55, 65), (120, 130, 125)),
    )
    top, bottom = pairs[generator.integers(len(pairs))]
    vary = generator.uniform(0.8, 1.15, (2, 3))
    return (np.array(top) * vary[0]).astype(np.float32), (np.array(bottom) * vary[1]).astype(np.float32)


def vertical_gradient(top: Colour, bottom: Colour, height: int, width: int) -> np.ndarray:
    """Returns a picture that goes from one colour at the top to another at the bottom."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.repeat(top * (1 - share) + bottom * share, width, axis=1).astype(np.float32)


def smooth_noise(generator: Generator, height: int, width: int, *, scale: float, stretch: float = 1.0) -> np.ndarray:
    """Returns smooth noise in [0, 1], float32 [height, width]: octaves of enlarged random grids.

    `scale` is the size in pixels of its coarsest spots, `stretch` how much wider than high they are.
    """
    total, weight = np.zeros((height, width), np.float32), 1.0
    while scale >= 2:
        grid = generator.random((int(height / scale) + 2, int(width / scale / stretch) + 2), np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        # Each finer octave counts half as much, as in clouds and terrain, whose detail is fainter the smaller it is.
        scale, weight = scale / 2, weight / 2
    return (total - total.min()) / max(float(np.ptp(total)), 1e-6)


def noise_line(generator: Generator, width: int) -> np.ndarray:
    """Returns smooth noise in [0, 1], float32 [width]: the outline of a ridge."""
    return smooth_noise(generator, 1, width, scale=generator.uniform(60, 240))[0]


def add_clouds(generator: Generator, picture: np.ndarray, *, cover: float) -> None:
    """Lays clouds over the picture; `cover` 0 is a clear sky, 1 a grey one."""
    height, width = picture.shape[:2]
    noise = smooth_noise(generator, height, width, scale=height / 3, stretch=2.5)
    # A cloud begins where the noise is above 1 - cover; it is never quite opaque, so that the sky tints it.
    share = np.clip((noise - 1 + cover) * 2.5, 0, 0.85)[..., None]
    picture[:] = picture * (1 - share) + 240 * share


def add_disc(generator: Generator, picture: np.ndarray, colour: Colour, *, radius: float) -> None:
    """Puts a sun or a moon with its glow somewhere into the upper half; `radius` is in pixels."""
    height, width = picture.shape[:2]
    row, column = np.mgrid[:height, :width].astype(np.float32)
    y, x = generator.uniform(0.05, 0.5) * height, generator.uniform(0.05, 0.95) * width
    distance = np.hypot(row - y, column - x) / radius
    share = np.clip(np.exp(-((distance / 3) ** 2)) * 0.5 + (distance < 1), 0, 1)[..., None]
    picture[:] = picture * (1 - share) + colour * share
