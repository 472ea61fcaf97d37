"""Lists what a photo is put into: frames, banners, screenshots, collages, backgrounds, photographed screens."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from training.edits import camera, collage, degrade, frame, geometry, page, tone
from training.edits.families.chance import (
    colour,
    either_way,
    one_of,
    paper_and_ink,
    scale,
    seed,
    some_of,
    theme,
    typeface,
    uniform,
    vivid,
    whole,
)
from training.edits.families.kind import Draw, Edit, Kind, in_order
from training.edits.families.places import crop_to
from training.edits.words import draw_words

Others = Sequence[np.ndarray]
# A screen has so many pixels along its longer side: larger photos are shown smaller on it.
SCREEN = 1600


def _framed(generator: np.random.Generator, _others: Others) -> Edit:
    width = uniform(generator, 0.03, 0.15)
    sides = [width, width, width * one_of(generator, (1, 1, 3)), width]
    edit = partial(frame.add_border, sides=sides, colour=colour(generator))
    if generator.random() < 0.3:
        return in_order(partial(frame.add_border, sides=[width / 4] * 4, colour=colour(generator)), edit)
    return edit


def _letterboxed(generator: np.random.Generator, _others: Others) -> Edit:
    ends = one_of(generator, ((0, 0, 0), (0, 0, 0), (255, 255, 255), colour(generator)))
    return partial(frame.letterbox, aspect=one_of(generator, (1, 16 / 9, 9 / 16, 4 / 5, 2.35)), colour=ends)


def _blurred_sides(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(frame.blur_sides, aspect=one_of(generator, (9 / 16, 9 / 16, 1, 16 / 9)))


def _rounded(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(frame.round_corners, radius=uniform(generator, 0.08, 0.5), colour=colour(generator))


def _banner(generator: np.random.Generator, _others: Others, *, above: bool) -> Edit:
    paper, ink = paper_and_ink(generator)
    return partial(
        frame.add_banner,
        text=draw_words(generator, count=whole(generator, 4, 16)),
        share=uniform(generator, 0.12, 0.4),
        above=above,
        paper=paper,
        ink=ink,
        typeface=typeface(generator),
    )


def _article(generator: np.random.Generator, _others: Others) -> Edit:
    margin = one_of(generator, (0, 0, uniform(generator, 0.02, 0.12)))
    aspect, down = uniform(generator, 1.5, 2.2), uniform(generator, 0.1, 0.7)
    return partial(page.in_article, theme=theme(generator), aspect=aspect, margin=margin, down=down)


def _crop_in_article(generator: np.random.Generator, others: Others) -> Edit:
    return in_order(crop_to(0.2, 0.6)(generator, others), _article(generator, others))


def _post(generator: np.random.Generator, _others: Others) -> Edit:
    return partial(page.in_post, theme=theme(generator), comments=whole(generator, 1, 4))


def _desktop(lowest: float, highest: float) -> Draw:
    """Returns what draws a computer's screen with the photo at a share of its width between those."""

    def draw(generator: np.random.Generator, others: Others) -> Edit:
        share = uniform(generator, lowest, highest)
        wallpaper = one_of(generator, others) if len(others) and generator.random() < 0.3 else None
        shown = partial(_at_most, longest=round(SCREEN * share))
        down, right = uniform(generator, 0, 1), uniform(generator, 0, 1)
        beside = some_of(generator, others, count=whole(generator, 0, min(3, len(others))))
        placed = partial(page.in_desktop, theme=theme(generator), share=share, down=down, right=right)
        return in_order(shown, partial(placed, others=beside, wallpaper=wallpaper))

    return draw


def _at_most(photo: np.ndarray, *, longest: int) -> np.ndarray:
    """Returns the photo with its longer side at so many pixels, or as it is where it is smaller."""
    return photo if max(photo.shape[:2]) <= longest else geometry.resize_to(photo, longest=longest)


def _player(generator: np.random.Generator, _others: Others) -> Edit:
    title = draw_words(generator, count=5)
    played, is_paused = uniform(generator, 0, 1), bool(generator.random() < 0.6)
    return partial(page.in_player, accent=vivid(generator), played=played, title=title, is_paused=is_paused)


def _search_results(generator: np.random.Generator, others: Others) -> Edit:
    rows, share = whole(generator, 3, 5), uniform(generator, 0.25, 0.45)
    beside = some_of(generator, others, count=min(rows, len(others))) if generator.random() < 0.7 else []
    listed = partial(page.in_search_results, theme=theme(generator), others=beside, rows=rows, share=share)
    shown = partial(_at_most, longest=round(SCREEN * share / 3))
    return in_order(shown, partial(listed, place=whole(generator, 0, rows - 1)))


def _newspaper(generator: np.random.Generator, _others: Others) -> Edit:
    paper, dark = (whole(generator, 215, 240), whole(generator, 205, 228), whole(generator, 180, 215)), (30, 30, 32)
    look = page.Theme(
        paper, dark, dark, one_of(generator, ("plain", "narrow", "second")), draw_words(generator, count=60)
    )
    cell, degrees, share = uniform(generator, 3, 4.5), uniform(generator, 20, 70), uniform(generator, 0.45, 0.9)
    return in_order(
        partial(camera.halftone, cell=cell, degrees=degrees, paper=paper, ink=dark),
        partial(page.in_newspaper, theme=look, columns=whole(generator, 2, 4), share=share),
        partial(geometry.rotate, degrees=either_way(generator, 0.2, 2.5), expand=False, border="edge"),
        partial(camera.scan, shadow=uniform(generator, 0, 0.4), dust=whole(generator, 0, 100), seed=seed(generator)),
    )


def _photographed(generator: np.random.Generator, others: Others) -> Edit:
    """Draws a screen seen from the side, with stripes, a reflection, noise and blur."""
    moved = generator.uniform(0.02, 0.16, (4, 2))
    corners = np.abs(np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - moved).tolist()
    surface = one_of(generator, others) if len(others) and generator.random() < 0.6 else _plain(generator)
    waves = [either_way(generator, 8, 60) for _ in range(2)]
    place = [uniform(generator, 0, 1) for _ in range(2)]
    return in_order(
        partial(camera.add_moire, across=waves[0], down=waves[1], strength=uniform(generator, 0.03, 0.15)),
        partial(camera.on_table, corners=corners, surface=_darkened(surface), rim=uniform(generator, 0, 0.06)),
        partial(degrade.blur, deviation=uniform(generator, 0.3, 1.2)),
        partial(camera.add_glare, down=place[0], right=place[1], size=uniform(generator, 0.3, 1.2), strength=0.7),
        partial(tone.balance, gains=generator.uniform(0.75, 1.15, 3).tolist()),
        partial(degrade.add_grain, deviation=uniform(generator, 3, 10), seed=seed(generator)),
    )


def _plain(generator: np.random.Generator) -> np.ndarray:
    """Draws a surface of one colour that becomes lighter to one side."""
    return generator.integers(20, 160, (2, 2, 3)).astype(np.uint8)


def _darkened(surface: np.ndarray) -> np.ndarray:
    return tone.adjust(geometry.resize_to(surface, longest=256), contrast=0.5, brightness=-40)


def _collage(rows: int, columns: int, *, lowest: float, highest: float) -> Draw:
    """Returns what draws a collage of rows and columns, so many times as wide as the photo."""

    def draw(generator: np.random.Generator, others: Others) -> Edit:
        # Where two photos stand side by side they may as well stand on top of each other.
        across = columns if rows == columns or generator.random() < 0.6 else rows
        count = rows * columns - 1
        return partial(
            collage.collage,
            others=some_of(generator, others, count=count),
            columns=across,
            place=whole(generator, 0, count),
            aspect=scale(generator, 0.8, 1.25),
            size=uniform(generator, lowest, highest) * across / columns,
            gap=one_of(generator, (0, 0, uniform(generator, 0.01, 0.06))),
            colour=colour(generator),
        )

    return draw


def _on_background(lowest: float, highest: float) -> Draw:
    """Returns what draws the photo on another, of whose area it takes a share between those."""

    def draw(generator: np.random.Generator, others: Others) -> Edit:
        area = uniform(generator, lowest, highest)
        # The picture is about as large as the photo was, up to half as large again.
        smaller = partial(geometry.resize, share=min(1, area**0.5 * uniform(generator, 1, 1.5)))
        placed = partial(
            collage.put_on,
            background=one_of(generator, others),
            area=area,
            aspect=scale(generator, 0.75, 1.33),
            down=uniform(generator, 0, 1),
            right=uniform(generator, 0, 1),
            rim=one_of(generator, (0, 0, uniform(generator, 0.01, 0.04))),
        )
        return in_order(smaller, placed)

    return draw


KINDS = (
    Kind("framed", _framed, "embedded"),
    Kind("letterboxed", _letterboxed, "embedded"),
    Kind("blurred_sides", _blurred_sides, "embedded"),
    Kind("round_corners", _rounded, "overlaid"),
    Kind("banner_above", partial(_banner, above=True), "embedded"),
    Kind("banner_below", partial(_banner, above=False), "embedded"),
    Kind("in_screenshot", _article, "embedded"),
    Kind("crop_in_screenshot", _crop_in_article, "edited"),
    Kind("in_post_with_comments", _post, "embedded"),
    Kind("in_desktop_screenshot", _desktop(0.3, 0.5), "embedded"),
    Kind("small_in_desktop_screenshot", _desktop(0.16, 0.24), "embedded"),
    Kind("in_search_results", _search_results, "embedded"),
    Kind("in_video_player", _player, "embedded"),
    Kind("in_newspaper", _newspaper, "embedded"),
    Kind("photographed_screen", _photographed, "embedded"),
    Kind("collage_of_two", _collage(1, 2, lowest=1.2, highest=2), "embedded", needs_others=True),
    Kind("collage_of_four", _collage(2, 2, lowest=1, highest=2), "embedded", needs_others=True),
    Kind("collage_of_nine", _collage(3, 3, lowest=1, highest=1.8), "embedded", needs_others=True),
    Kind("on_background", _on_background(0.3, 0.6), "embedded", needs_others=True),
    Kind("small_on_background", _on_background(0.08, 0.2), "embedded", needs_others=True),
)
