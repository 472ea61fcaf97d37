"""Lists what is laid over a photo: logos, captions, watermarks, drawings, and parts that are hidden."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from training.edits import collage, hide, marks, overlay
from training.edits.families.chance import (
    colour,
    one_of,
    paper_and_ink,
    region,
    some_of,
    typeface,
    uniform,
    vivid,
    whole,
)
from training.edits.families.kind import Edit, Kind, in_order
from training.edits.hide import Region
from training.edits.words import draw_words

Others = Sequence[np.ndarray]
_VEILS: tuple[hide.Veil, ...] = ("blur", "pixels", "colour")


def _logo(generator: np.random.Generator, _others: Others) -> Edit:
    """Draws a sign in one of the corners."""
    sign = _sign(generator)
    down, right = (one_of(generator, (0.1, 0.9)) + uniform(generator, -0.04, 0.04) for _ in range(2))
    size, opacity = uniform(generator, 0.1, 0.25), uniform(generator, 0.6, 1)
    return partial(marks.lay, sticker=sign, down=down, right=right, size=size, opacity=opacity)


def _sign(generator: np.random.Generator) -> marks.Sticker:
    text = draw_words(generator, count=1)[: whole(generator, 1, 7)]
    paper, ink = paper_and_ink(generator)
    strong = vivid(generator) if generator.random() < 0.5 else paper
    return marks.logo(one_of(generator, marks.LOGOS), text=text, colour=strong, ink=ink)


def _stickers(generator: np.random.Generator, _others: Others) -> Edit:
    edits = []
    for _ in range(whole(generator, 1, 4)):
        down, right, size = uniform(generator, 0, 1), uniform(generator, 0, 1), uniform(generator, 0.1, 0.35)
        picture = _sign(generator) if generator.random() < 0.25 else marks.emoji(one_of(generator, marks.EMOJIS))
        picture = marks.turned(picture, degrees=uniform(generator, -25, 25))
        edits.append(partial(marks.lay, sticker=picture, down=down, right=right, size=size, opacity=1))
    return in_order(*edits)


def _stamp(generator: np.random.Generator, _others: Others) -> Edit:
    text = one_of(
        generator, ("FAKE", "FALSE", "FALSCH", "FAUX", "FALSO", "OLD PHOTO", "MISLEADING", "VERIFIED", "HOAX")
    )
    ink = one_of(generator, ((215, 25, 30), (215, 25, 30), vivid(generator)))
    sticker = marks.stamp(text, colour=ink, degrees=uniform(generator, -35, 35))
    down, right = uniform(generator, 0.35, 0.65), uniform(generator, 0.35, 0.65)
    size, opacity = uniform(generator, 0.5, 1), uniform(generator, 0.6, 1)
    return partial(marks.lay, sticker=sticker, down=down, right=right, size=size, opacity=opacity)


def _watermark(generator: np.random.Generator, _others: Others, *, tiled: bool = False) -> Edit:
    words = draw_words(generator, count=whole(generator, 1, 3))
    words = words if len(words) > 5 else f"{words} {words} photo"
    return partial(
        overlay.overlay_watermark,
        text=f"  {words}  " if tiled else words,
        degrees=uniform(generator, -45, 45),
        share=uniform(generator, 0.07, 0.16) if tiled else uniform(generator, 0.5, 0.85),
        opacity=uniform(generator, 0.2, 0.55),
        colour=one_of(generator, ((255, 255, 255), (255, 255, 255), (30, 30, 30), colour(generator))),
        tiled=tiled,
    )


def _caption(generator: np.random.Generator, _others: Others) -> Edit:
    """Draws a filled box of text across the upper or lower edge or part of the way."""
    paper, ink = paper_and_ink(generator)
    height, width = uniform(generator, 0.1, 0.25), one_of(generator, (1.0, 1.0, uniform(generator, 0.5, 0.9)))
    down = (1 - height) if generator.random() < 0.7 else uniform(generator, 0, 0.1)
    place = Region(down, (1 - width) * uniform(generator, 0, 1), height, width)
    return _label(generator, place, words=whole(generator, 4, 12), lines=whole(generator, 1, 2), colours=(paper, ink))


def _label(generator: np.random.Generator, place: Region, *, words: int, lines: int, colours: tuple) -> Edit:
    paper, ink = colours
    text, letters, line = draw_words(generator, count=words), typeface(generator), place.height / lines * 0.85
    return partial(overlay.overlay_label, text=text, region=place, line=line, paper=paper, ink=ink, typeface=letters)


def _news_graphics(generator: np.random.Generator, others: Others) -> Edit:
    """Draws a station's sign, a headline and a ticker below it, as television shows them."""
    strong, (paper, ink) = vivid(generator), paper_and_ink(generator)
    height, down = uniform(generator, 0.09, 0.14), uniform(generator, 0.7, 0.78)
    width = uniform(generator, 0.15, 0.25)
    live = _label(
        generator, Region(down - 0.06, 0.04, 0.06, width), words=1, lines=1, colours=(strong, (255, 255, 255))
    )
    headline = _label(generator, Region(down, 0.04, height, 0.92), words=6, lines=1, colours=(paper, ink))
    ticker = _label(generator, Region(down + height, 0, 0.07, 1), words=14, lines=1, colours=(strong, (255, 255, 255)))
    return in_order(headline, ticker, live, _logo(generator, others))


def _translated(generator: np.random.Generator, _others: Others) -> Edit:
    """Draws boxes of text over parts of the photo, as translating apps lay them over signs."""
    edits = []
    for _ in range(whole(generator, 2, 5)):
        height = uniform(generator, 0.06, 0.12)
        width = uniform(generator, 0.2, 0.5)
        place = Region(uniform(generator, 0, 1 - height), uniform(generator, 0, 1 - width), height, width)
        edits.append(_label(generator, place, words=4, lines=1, colours=paper_and_ink(generator)))
    return in_order(*edits)


def _meme(generator: np.random.Generator, _others: Others) -> Edit:
    above, below = (draw_words(generator, count=whole(generator, 2, 5)).upper() for _ in range(2))
    share, letters = uniform(generator, 0.1, 0.2), one_of(generator, ("narrow", "bold"))
    return partial(overlay.overlay_meme, above=above, below=below, share=share, typeface=letters)


def _pointed_at(generator: np.random.Generator, _others: Others) -> Edit:
    edits = []
    for _ in range(whole(generator, 1, 3)):
        place, shape = region(generator, smallest=0.15, largest=0.45), one_of(generator, overlay.SHAPES)
        stroke, ink = uniform(generator, 0.008, 0.03), vivid(generator)
        edits.append(partial(overlay.overlay_shape, shape=shape, region=place, thickness=stroke, colour=ink))
    return in_order(*edits)


def _part_hidden(generator: np.random.Generator, _others: Others) -> Edit:
    """Draws one to three small parts that are blurred, pixelated or blackened, as faces are."""
    edits, how, ink = [], one_of(generator, _VEILS), colour(generator)
    for _ in range(whole(generator, 1, 3)):
        place = region(generator, smallest=0.12, largest=0.3, anywhere=False)
        edits.append(partial(hide.veil, region=place, how=how, oval=generator.random() < 0.5, colour=ink))
    return in_order(*edits)


def _half_covered(generator: np.random.Generator, _others: Others) -> Edit:
    share, end = uniform(generator, 0.45, 0.55), one_of(generator, (0, 1))
    place = (
        Region((1 - share) * end, 0, share, 1) if generator.random() < 0.5 else Region(0, (1 - share) * end, 1, share)
    )
    how = one_of(generator, _VEILS)
    return partial(hide.veil, region=place, how=how, colour=colour(generator))


def _inset(generator: np.random.Generator, others: Others) -> Edit:
    return partial(
        collage.picture_in_picture,
        other=one_of(generator, others),
        size=uniform(generator, 0.2, 0.45),
        down=one_of(generator, (0.04, 0.96)),
        right=one_of(generator, (0.04, 0.96)),
        rim=uniform(generator, 0, 0.02),
    )


def _stock_marks(generator: np.random.Generator, others: Others) -> Edit:
    """Draws what sellers of photos put on them: two crossing lines, a word across, a sign in a corner."""
    faint, stroke = one_of(generator, ((235, 235, 235), (120, 120, 120))), uniform(generator, 0.003, 0.01)
    lines: list[Edit] = [
        partial(overlay.overlay_shape, shape="line", region=Region(0, 0, 1, 1), thickness=stroke, colour=faint),
        partial(
            overlay.overlay_shape, shape="rectangle", region=Region(0.3, 0.3, 0.4, 0.4), thickness=stroke, colour=faint
        ),
    ]
    return in_order(
        *some_of(generator, lines, count=whole(generator, 1, 2)), _watermark(generator, ()), _logo(generator, others)
    )


KINDS = (
    Kind("with_logo", _logo, "overlaid"),
    Kind("with_stickers", _stickers, "overlaid"),
    Kind("stamped_by_fact_checkers", _stamp, "overlaid"),
    Kind("watermark_across", _watermark, "overlaid"),
    Kind("watermark_tiled", partial(_watermark, tiled=True), "overlaid"),
    Kind("stock_photo_marks", _stock_marks, "overlaid"),
    Kind("caption_over_photo", _caption, "overlaid"),
    Kind("news_graphics", _news_graphics, "overlaid"),
    Kind("text_translated_over", _translated, "overlaid"),
    Kind("meme_text", _meme, "overlaid"),
    Kind("arrows_and_circles", _pointed_at, "overlaid"),
    Kind("faces_hidden", _part_hidden, "overlaid"),
    Kind("half_covered", _half_covered, "overlaid"),
    Kind("picture_in_picture", _inset, "overlaid", needs_others=True),
)
