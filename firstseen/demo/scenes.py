"""Draws the made scenes of the demo archive out of noise, gradients and shapes, uint8 RGB [height, width, 3].

A lookup has to find one photograph among hundreds of pictures, more than any library ships. So most of the archive is
made: varied scenes, none of which resembles another closely enough to be its copy.
"""

from collections.abc import Callable

import cv2
import numpy as np

from firstseen.demo.brushes import (
    Colour,
    Generator,
    add_clouds,
    add_disc,
    noise_line,
    random_colour,
    random_window,
    sky_colours,
    smooth_noise,
    vertical_gradient,
)

# (height, width): the shapes in which photos come.
SHAPES = ((320, 480), (360, 480), (480, 360), (400, 400), (480, 320), (270, 480))


def draw_scene(generator: Generator, *, textures: list[np.ndarray]) -> np.ndarray:
    """Returns one scene of a random kind and shape; `textures` are uint8 RGB photographs that some scenes cut from."""
    height, width = SHAPES[generator.integers(len(SHAPES))]
    kind = SCENES[generator.integers(len(SCENES))]
    picture = kind(generator, height, width, textures)
    return _finish(generator, np.clip(picture, 0, 255).astype(np.float32))


def _finish(generator: Generator, picture: np.ndarray) -> np.ndarray:
    """Adds what a camera does: light that falls off towards the corners, grain, a cast of colour."""
    height, width = picture.shape[:2]
    row, column = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    vignette = 1 - generator.uniform(0, 0.35) * (row**2 + column**2) / 2
    cast = generator.uniform(0.92, 1.08, 3).astype(np.float32)
    grain = generator.standard_normal((height, width, 1), np.float32) * generator.uniform(1, 6)
    return np.clip(picture * vignette[..., None] * cast + grain, 0, 255).astype(np.uint8)


def _landscape(generator: Generator, height: int, width: int, _textures) -> np.ndarray:
    """Draws ridges behind each other under a sky; sometimes a lake mirrors them."""
    top, bottom = sky_colours(generator)
    picture = vertical_gradient(top, bottom, height, width)
    add_clouds(generator, picture, cover=generator.uniform(0, 0.8))
    add_disc(generator, picture, random_colour(generator, 220, 255), radius=height * generator.uniform(0.03, 0.09))
    ground, ridges = random_colour(generator, 10, 110), generator.integers(2, 6)
    for ridge in range(ridges):
        nearness = (ridge + 1) / ridges
        # Distant ridges stand higher and take on the colour of the horizon, since haze lies before them.
        skyline = height * (0.35 + 0.5 * nearness) - noise_line(generator, width) * height * generator.uniform(0.1, 0.3)
        colour = bottom * (1 - nearness) * 0.8 + ground * (0.3 + 0.7 * nearness)
        shade = 0.75 + 0.5 * smooth_noise(generator, height, width, scale=generator.uniform(6, 30))
        mask = np.arange(height)[:, None] > skyline
        picture[mask] = (colour * shade[..., None])[mask]
    if generator.random() < 0.4:
        shore = int(height * generator.uniform(0.6, 0.8))
        mirrored = picture[:shore][::-1][: height - shore] * generator.uniform(0.6, 0.9)
        picture[shore : shore + len(mirrored)] = cv2.GaussianBlur(mirrored, (15, 1), 4)
    return picture


def _city(generator: Generator, height: int, width: int, _textures) -> np.ndarray:
    """Draws buildings with windows, by day or by night."""
    night = generator.random() < 0.5
    top, bottom = sky_colours(generator)
    picture = vertical_gradient(top, bottom, height, width) * (0.35 if night else 1.0)
    lit = np.array([255, 225, 150], np.float32) if night else random_colour(generator, 90, 200)
    # From the back to the front: each row of buildings is lower and hides the feet of the one behind.
    for layer in range(3):
        left = -int(generator.integers(0, 40))
        while left < width:
            wide, tall = int(generator.integers(24, 90)), height * generator.uniform(0.2, 0.75 - 0.12 * layer)
            wall = random_colour(generator, 15, 60) if night else random_colour(generator, 70, 215)
            roof = int(height * (0.9 + 0.05 * layer) - tall)
            picture[max(roof, 0) :, max(left, 0) : left + wide] = wall
            _add_windows(generator, picture, roof, left, wide, lit, share=generator.uniform(0.2, 0.9))
            left += wide + int(generator.integers(-8, 30))
    street = int(height * generator.uniform(0.85, 0.95))
    picture[street:] = random_colour(generator, 25, 90)
    return picture


def _add_windows(generator: Generator, picture, roof: int, left: int, wide: int, lit: Colour, *, share: float) -> None:
    height, width = picture.shape[:2]
    step, size = int(generator.integers(8, 16)), int(generator.integers(3, 7))
    for top in range(max(roof + step // 2, 0), height, step):
        for start in range(left + step // 2, left + wide - size, step):
            if generator.random() < share and 0 <= start < width:
                picture[top : top + size, start : start + size] = lit * generator.uniform(0.6, 1)


def _sea(generator: Generator, height: int, width: int, _textures) -> np.ndarray:
    """Draws a horizon, waves that grow towards the viewer, a few boats."""
    top, bottom = sky_colours(generator)
    picture = vertical_gradient(top, bottom, height, width)
    add_clouds(generator, picture, cover=generator.uniform(0.2, 0.9))
    horizon = int(height * generator.uniform(0.25, 0.65))
    deep, shallow = random_colour(generator, 5, 90), bottom * 0.8
    # Water mirrors the sky at the horizon, and shows its own colour near the viewer.
    water = vertical_gradient(shallow, deep, height - horizon, width)
    waves = smooth_noise(generator, height - horizon, width, scale=4, stretch=generator.uniform(3, 9))
    depth = np.linspace(0.1, 1, height - horizon, dtype=np.float32)[:, None, None]
    picture[horizon:] = water + (waves[..., None] - 0.5) * 160 * depth
    for _ in range(generator.integers(0, 4)):
        length, x = int(generator.integers(12, 70)), int(generator.integers(0, width))
        hull = np.array(
            [
                [x, horizon],
                [x + length, horizon],
                [x + length * 3 // 4, horizon + length // 5],
                [x + length // 5, horizon + length // 5],
            ]
        )
        cv2.fillPoly(picture, [hull], random_colour(generator, 0, 255).tolist())
        sail = np.array([[x + length // 2, horizon - length], [x + length // 2, horizon], [x + length, horizon]])
        cv2.fillPoly(picture, [sail], random_colour(generator, 180, 255).tolist())
    return picture


def _still_life(generator: Generator, height: int, width: int, textures) -> np.ndarray:
    """Draws shaded balls with shadows on a table that is cut from a photograph of a surface."""
    picture = vertical_gradient(random_colour(generator, 20, 220), random_colour(generator, 20, 220), height, width)
    table = int(height * generator.uniform(0.4, 0.65))
    surface = random_window(generator, textures, share=0.4)
    surface = cv2.resize(surface, (width, height - table), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    # The surface keeps the brightness of the photograph but not its colours: it must not count as a copy.
    picture[table:] = surface.mean(axis=2, keepdims=True) * random_colour(generator, 80, 255) / 180
    row, column = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(generator.integers(2, 7)):
        radius = height * generator.uniform(0.06, 0.2)
        x, y = generator.uniform(0, width), generator.uniform(table, height * 0.95) - radius * 0.7
        # The light comes from the upper left: a flat shadow falls to the right, and the gloss lies on the left.
        shadow = ((column - x - radius * 0.5) / (1.3 * radius)) ** 2 + ((row - y - radius * 0.9) / (0.35 * radius)) ** 2
        picture *= 1 - 0.6 * np.exp(-(shadow**2))[..., None]
        across, down = (column - x) / radius, (row - y) / radius
        inside = across**2 + down**2 < 1
        facing = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
        light = np.clip(0.15 + 0.85 * (-0.5 * across - 0.6 * down + 0.6 * facing), 0.05, 1.2)
        gloss = 200 * np.clip(-0.45 * across - 0.55 * down + 0.7 * facing, 0, 1) ** 24
        ball = random_colour(generator, 40, 255, vivid=0.9) * light[..., None] + gloss[..., None]
        picture[inside] = ball[inside]
    return picture


def _texture(generator: Generator, height: int, width: int, _textures) -> np.ndarray:
    """Draws marble, wood, clouds or cloth: warped noise through a palette of a few colours."""
    noise = smooth_noise(generator, height, width, scale=generator.uniform(20, 120), stretch=generator.uniform(1, 4))
    row, column = np.mgrid[: 1 : height * 1j, : 1 : width * 1j].astype(np.float32)
    angle, bands = generator.uniform(0, np.pi), generator.uniform(0, 14)
    # Stripes that noise bends are grain of wood or veins of marble; without stripes the noise alone is cloud.
    value = noise + 0.5 * np.sin(bands * 2 * np.pi * (row * np.sin(angle) + column * np.cos(angle)) / 2 + 6 * noise)
    value = (value - value.min()) / np.ptp(value)
    palette = np.stack([random_colour(generator, 0, 255, vivid=0.6) for _ in range(generator.integers(2, 6))])
    steps = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(value, steps, palette[:, channel]) for channel in range(3)], axis=-1).astype(np.float32)


def _flowers(generator: Generator, height: int, width: int, _textures) -> np.ndarray:
    """Draws blossoms in front of an unsharp background."""
    picture = vertical_gradient(random_colour(generator, 0, 90), random_colour(generator, 20, 140), height, width)
    for _ in range(30):
        centre = int(generator.integers(0, width)), int(generator.integers(0, height))
        cv2.circle(picture, centre, int(generator.integers(8, 45)), random_colour(generator, 20, 200).tolist(), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), generator.uniform(8, 16))
    petal_colour = random_colour(generator, 60, 255, vivid=0.9)
    for _ in range(generator.integers(1, 7)):
        x, y = int(generator.integers(0, width)), int(generator.integers(0, height))
        length, petals = height * generator.uniform(0.08, 0.3), int(generator.integers(5, 14))
        for petal in range(petals):
            turn = 2 * np.pi * petal / petals
            middle = int(x + np.cos(turn) * length * 0.6), int(y + np.sin(turn) * length * 0.6)
            axes = int(length * 0.55), int(length * generator.uniform(0.15, 0.24))
            colour = petal_colour * generator.uniform(0.75, 1.1)
            cv2.ellipse(picture, middle, axes, np.degrees(turn), 0, 360, colour.tolist(), -1, cv2.LINE_AA)
        heart = random_colour(generator, 40, 230).tolist()
        cv2.circle(picture, (x, y), max(2, int(length * 0.25)), heart, -1, cv2.LINE_AA)
    return picture


def _road(generator: Generator, height: int, width: int, textures) -> np.ndarray:
    """Draws a road through fields to the horizon, with trees along it."""
    top, bottom = sky_colours(generator)
    picture = vertical_gradient(top, bottom, height, width)
    add_clouds(generator, picture, cover=generator.uniform(0, 0.9))
    horizon, vanishing = int(height * generator.uniform(0.3, 0.6)), int(width * generator.uniform(0.2, 0.8))
    ground = cv2.resize(random_window(generator, textures, share=0.6), (width, height - horizon)).astype(np.float32)
    picture[horizon:] = ground.mean(axis=2, keepdims=True) * random_colour(generator, 50, 220) / 150
    left, right = sorted(generator.integers(-width // 2, width * 3 // 2, 2).tolist())
    road = np.array([[vanishing - 2, horizon], [vanishing + 2, horizon], [right + 40, height], [left - 40, height]])
    cv2.fillPoly(picture, [road], random_colour(generator, 50, 130).tolist(), cv2.LINE_AA)
    cv2.line(picture, (vanishing, horizon), ((left + right) // 2, height), (235, 235, 225), 2, cv2.LINE_AA)
    leaves = random_colour(generator, 10, 140)
    for _ in range(generator.integers(0, 14)):
        nearness = generator.uniform(0.05, 1)
        x, foot = int(generator.integers(0, width)), int(horizon + nearness * (height - horizon) * 0.5)
        tall = int(height * 0.5 * nearness) + 6
        cv2.line(picture, (x, foot), (x, foot - tall), (60, 45, 35), max(1, tall // 14))
        shade = (leaves * generator.uniform(0.6, 1.2)).tolist()
        cv2.circle(picture, (x, foot - tall), max(3, tall // 3), shade, -1, cv2.LINE_AA)
    return picture


def _document(generator: Generator, height: int, width: int, textures) -> np.ndarray:
    """Draws a printed page: a headline, columns of lines, a picture."""
    paper = random_colour(generator, 225, 255)
    picture = np.full((height, width, 3), paper, np.float32)
    columns, margin = int(generator.integers(1, 4)), width // 16
    ink = random_colour(generator, 0, 80)
    picture[margin : margin + height // 12, margin : int(width * generator.uniform(0.5, 0.9))] = ink
    for column in range(columns):
        left = margin + column * (width - margin) // columns
        right = margin + (column + 1) * (width - margin) // columns - margin
        for top in range(margin * 2 + height // 12, height - margin, 9):
            picture[top : top + 4, left : left + int((right - left) * generator.uniform(0.7, 1))] = ink * 1.3 + 40
    tall, wide = int(height * generator.uniform(0.25, 0.5)), int(width * generator.uniform(0.3, 0.6))
    top, left = int(generator.integers(height // 6, height - tall)), int(generator.integers(0, width - wide))
    # The first four kinds are views, as a newspaper prints them.
    inset = SCENES[generator.integers(4)](generator, max(tall, 80), max(wide, 80), textures)
    picture[top : top + tall, left : left + wide] = cv2.resize(np.clip(inset, 0, 255), (wide, tall))
    return picture


def _detail(generator: Generator, height: int, width: int, textures) -> np.ndarray:
    """Draws a small window of a photograph, mirrored, enlarged, and in other colours: no copy of the whole of it."""
    window = cv2.resize(random_window(generator, textures, share=generator.uniform(0.2, 0.35)), (width, height))
    window = window[:, ::-1].astype(np.float32)
    # Much of the Moon and of the sky is one flat grey: spread the values that there are.
    window = (window - window.mean()) * min(3.0, 55 / max(float(window.std()), 1)) + generator.uniform(90, 150)
    mixed = window @ generator.dirichlet((1.5, 1.5, 1.5), 3).T.astype(np.float32)
    if generator.random() < 0.3:
        mixed = 255 - mixed
    return mixed


SCENES: tuple[Callable[..., np.ndarray], ...] = (
    _landscape,
    _city,
    _sea,
    _flowers,
    _still_life,
    _road,
    _texture,
    _document,
    _detail,
)
