"""Lists every parameterised edit once with plain parameters, for what holds of all of them."""

from functools import partial

import numpy as np

from tests.photos import scene
from training.edits import camera, collage, degrade, filters, frame, geometry, hide, marks, overlay, page, tone, warp
from training.edits.families.kind import Edit
from training.edits.hide import Region

OTHER = scene(3, width=60, height=90)
CORNERS = [(0.1, 0.05), (0.9, 0.1), (0.95, 0.9), (0.05, 0.8)]
MIDDLE = Region(0.3, 0.3, 0.4, 0.4)
BANNER = {"paper": (250, 250, 250), "ink": (20, 20, 20), "typeface": "plain"}
THEME = page.Theme((250, 250, 250), (20, 20, 20), (200, 30, 30), "plain", "words of a page that are repeated")

# Those that keep the photo's height and width.
SAME_SIZE: dict[str, Edit] = {
    "reencode_webp": partial(degrade.reencode_webp, quality=50),
    "to_palette": partial(degrade.to_palette, colours=8, dither=True),
    "add_grain": partial(degrade.add_grain, deviation=20, size=1.5, coloured=False, seed=1),
    "motion_blur": partial(degrade.motion_blur, length=7, degrees=30),
    "sharpen": partial(degrade.sharpen, amount=2, deviation=1),
    "pixelate": partial(degrade.pixelate, cells=3),
    "flip": geometry.flip,
    "shear": partial(warp.shear, right=0.2, down=0.1),
    "tilt": partial(warp.tilt, corners=CORNERS),
    "bend": partial(warp.bend, strength=-0.2),
    "adjust": partial(tone.adjust, brightness=20, contrast=1.2, gamma=1.5),
    "grey": tone.grey,
    "duotone": partial(tone.duotone, dark=(10, 0, 50), light=(255, 220, 200)),
    "saturate": partial(tone.saturate, factor=2),
    "turn_hue": partial(tone.turn_hue, degrees=100),
    "balance": partial(tone.balance, gains=(1.2, 1, 0.7)),
    "invert": tone.invert,
    "posterise": partial(tone.posterise, steps=4),
    "solarise": partial(tone.solarise, threshold=128),
    "equalise": partial(tone.equalise, limit=4),
    "recolour": partial(tone.recolour, colours=[(90, 100, 160), (160, 100, 90), (90, 160, 90), (120, 120, 90)]),
    "vignette": partial(filters.vignette, strength=0.8),
    "fade": partial(filters.fade, black=(40, 30, 20), white=(230, 220, 200)),
    "leak_light": partial(filters.leak_light, colour=(255, 150, 30), down=0.1, right=1, strength=0.6),
    "sketch": partial(filters.sketch, deviation=3),
    "cartoon": partial(filters.cartoon, steps=5),
    "emboss": partial(filters.emboss, strength=1),
    "scratch": partial(filters.scratch, lines=5, spots=5, seed=2),
    "blur_background": partial(filters.blur_background, height=0.6, width=0.5, share=0.05),
    "veil by colour": partial(hide.veil, region=MIDDLE, how="colour", colour=(200, 0, 0)),
    "veil by blur": partial(hide.veil, region=MIDDLE, how="blur", oval=True),
    "veil by pixels": partial(hide.veil, region=MIDDLE, how="pixels"),
    "copy_move": partial(hide.copy_move, region=MIDDLE, down=-0.1, right=0.7),
    "replace": partial(hide.replace, region=MIDDLE, other=OTHER),
    "inpaint": partial(hide.inpaint, region=MIDDLE),
    "blend": partial(hide.blend, other=OTHER, opacity=0.4),
    "lay": partial(marks.lay, sticker=marks.emoji("smile"), down=0.2, right=0.9, size=0.4, opacity=0.8),
    "overlay_meme": partial(overlay.overlay_meme, above="ABOVE", below="BELOW", share=0.2, typeface="bold"),
    "overlay_watermark": partial(
        overlay.overlay_watermark, text="mark", degrees=30, share=0.6, opacity=0.4, colour=(255, 255, 255), tiled=False
    ),
    "overlay_watermark, tiled": partial(
        overlay.overlay_watermark, text="mark", degrees=30, share=0.1, opacity=0.4, colour=(255, 255, 255), tiled=True
    ),
    "overlay_shape": partial(overlay.overlay_shape, shape="arrow", region=MIDDLE, thickness=0.05, colour=(255, 0, 0)),
    "overlay_label": partial(overlay.overlay_label, text="some words", region=MIDDLE, line=0.2, **BANNER),
    "round_corners": partial(frame.round_corners, radius=0.3, colour=(255, 255, 255)),
    "picture_in_picture": partial(collage.picture_in_picture, other=OTHER, size=0.3, down=1, right=0, rim=0.02),
    "cut_out": partial(collage.cut_out, background=OTHER, mask=np.full((9, 9), 255, np.uint8), size=0.7, right=0.5),
    "halftone": partial(camera.halftone, cell=4, degrees=40, paper=(255, 255, 255), ink=(0, 0, 0)),
    "print_in_colour": partial(camera.print_in_colour, cell=4, degrees=15),
    "add_moire": partial(camera.add_moire, across=20, down=-8, strength=0.2),
    "add_glare": partial(camera.add_glare, down=0.2, right=0.4, size=0.5, strength=0.7),
    "scan": partial(camera.scan, shadow=0.3, dust=20, seed=4),
}
# Those that give another size, or may.
OTHER_SIZE: dict[str, Edit] = {
    "resize_to": partial(geometry.resize_to, longest=33),
    "stretch": partial(geometry.stretch, aspect=1.5),
    "crop_at": partial(geometry.crop_at, height=0.4, width=0.7, down=1, right=0.3),
    "reupload": partial(degrade.reupload, shares=(0.8, 1.1), quality=40),
    "rotate_inside": partial(warp.rotate_inside, degrees=12),
    "add_border": partial(frame.add_border, sides=(0.1, 0, 0.3, 0.1), colour=(255, 0, 0)),
    "letterbox": partial(frame.letterbox, aspect=16 / 9, colour=(0, 0, 0)),
    "blur_sides": partial(frame.blur_sides, aspect=9 / 16),
    "add_banner": partial(frame.add_banner, text="some words", share=0.3, above=True, **BANNER),
    "collage": partial(
        collage.collage, others=[OTHER] * 3, columns=2, place=2, aspect=1.2, size=1.5, gap=0.05, colour=(0, 0, 0)
    ),
    "put_on": partial(collage.put_on, background=OTHER, area=0.3, aspect=0.8, down=0.2, right=0.9, rim=0.05),
    "in_article": partial(page.in_article, theme=THEME, aspect=1.8, margin=0.05, down=0.3),
    "in_post": partial(page.in_post, theme=THEME, comments=2),
    "in_desktop": partial(
        page.in_desktop, theme=THEME, share=0.3, down=0.5, right=0.2, others=[OTHER], wallpaper=OTHER
    ),
    "in_player": partial(page.in_player, accent=(255, 0, 0), played=0.4, title="title", is_paused=True),
    "in_newspaper": partial(page.in_newspaper, theme=THEME, columns=3, share=0.6),
    "in_search_results": partial(page.in_search_results, theme=THEME, others=[OTHER], rows=3, place=1, share=0.4),
}
EDITS = SAME_SIZE | OTHER_SIZE
