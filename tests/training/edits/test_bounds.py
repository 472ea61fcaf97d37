"""Parameters out of their bounds: one line that names what was received and what was expected."""

from collections.abc import Callable
from functools import partial

import pytest

from foundation.errors import UsageError
from tests.photos import scene
from tests.training.edits.plain import EDITS
from training.edits import marks
from training.edits.hide import Region
from training.edits.typefaces import render

PHOTO = scene(7, width=60, height=40)
# An edit of the list with one parameter changed, and the start of its message.
CHANGED = [
    ("reencode_webp", {"quality": 0}, "quality is 0; expected 1 to 100"),
    ("to_palette", {"colours": 257}, "colours is 257; expected 2 to 256"),
    ("add_grain", {"deviation": 81}, "deviation is 81; expected 0 to 80"),
    ("add_grain", {"size": 0.5}, r"size is 0\.5; expected 1 to 20"),
    ("motion_blur", {"length": 201}, "length is 201; expected 1 to 200"),
    ("sharpen", {"amount": -1}, "amount is -1; expected 0 to 20"),
    ("sharpen", {"deviation": 0}, r"deviation is 0; expected 0\.1 to 100"),
    ("pixelate", {"cells": 0}, "cells is 0; expected 1 to 1,000"),
    ("reupload", {"shares": (1, 3)}, r"shares is 3; expected 0\.1 to 2"),
    ("resize_to", {"longest": 0}, "longest is 0; expected 1 to 100,000"),
    ("stretch", {"aspect": 11}, r"aspect is 11; expected 0\.1 to 10"),
    ("crop_at", {"height": 0}, r"height is 0; expected 0\.001 to 1"),
    ("crop_at", {"right": 1.1}, r"right is 1\.1; expected 0 to 1"),
    ("rotate_inside", {"degrees": 361}, "degrees is 361; expected -360 to 360"),
    ("shear", {"down": 2}, "down is 2; expected -1 to 1"),
    ("tilt", {"corners": [(0, 0), (3, 0), (1, 1), (0, 1)]}, "corners is 3; expected -1 to 2"),
    ("bend", {"strength": 1}, r"strength is 1; expected -0\.5 to 0\.5"),
    ("adjust", {"gamma": 0}, r"gamma is 0; expected 0\.1 to 10"),
    ("adjust", {"brightness": 300}, "brightness is 300; expected -255 to 255"),
    ("adjust", {"contrast": -1}, "contrast is -1; expected 0 to 10"),
    ("saturate", {"factor": 11}, "factor is 11; expected 0 to 10"),
    ("turn_hue", {"degrees": float("nan")}, "degrees is nan; expected -360 to 360"),
    ("balance", {"gains": (1, 11, 1)}, "gains is 11; expected 0 to 10"),
    ("posterise", {"steps": 1}, "steps is 1; expected 2 to 256"),
    ("solarise", {"threshold": 256}, "threshold is 256; expected 0 to 255"),
    ("equalise", {"limit": 0}, "limit is 0; expected 1 to 100"),
    ("vignette", {"strength": 2}, "strength is 2; expected 0 to 1"),
    ("leak_light", {"down": 2}, r"down is 2; expected -0\.5 to 1\.5"),
    ("sketch", {"deviation": 0}, r"deviation is 0; expected 0\.5 to 50"),
    ("emboss", {"strength": 0}, r"strength is 0; expected 0\.1 to 10"),
    ("scratch", {"lines": 201}, "lines is 201; expected 0 to 200"),
    ("blur_background", {"share": 1}, r"share is 1; expected 0\.001 to 0\.1"),
    ("veil by blur", {"how": "magic"}, "how is 'magic'; expected one of: blur, pixels, colour"),
    ("veil by blur", {"region": Region(0, 0, 1, 2)}, "width is 2; expected 0 to 1"),
    ("copy_move", {"down": 2}, "down is 2; expected -1 to 1"),
    ("blend", {"opacity": 2}, "opacity is 2; expected 0 to 1"),
    ("lay", {"size": 3}, r"size is 3; expected 0\.01 to 2"),
    ("overlay_meme", {"share": 0}, r"share is 0; expected 0\.02 to 0\.5"),
    ("overlay_watermark", {"opacity": 2}, "opacity is 2; expected 0 to 1"),
    ("overlay_shape", {"shape": "star"}, "shape is 'star'; expected one of: circle, rectangle, arrow, line"),
    ("overlay_label", {"line": 0}, r"line is 0; expected 0\.01 to 1"),
    ("overlay_label", {"typeface": "gothic"}, "typeface is 'gothic'; expected one of: plain, bold"),
    ("add_border", {"sides": (0, 4, 0, 0)}, "sides is 4; expected 0 to 3"),
    ("letterbox", {"aspect": 6}, r"aspect is 6; expected 0\.2 to 5"),
    ("blur_sides", {"aspect": 0}, r"aspect is 0; expected 0\.2 to 5"),
    ("add_banner", {"share": 2}, r"share is 2; expected 0\.02 to 1"),
    ("round_corners", {"radius": 1}, r"radius is 1; expected 0 to 0\.5"),
    ("collage", {"place": 4}, "place is 4; expected 0 to 3"),
    ("collage", {"gap": 1}, r"gap is 1; expected 0 to 0\.5"),
    ("put_on", {"area": 0}, r"area is 0; expected 0\.01 to 1"),
    ("picture_in_picture", {"size": 1}, r"size is 1; expected 0\.05 to 0\.8"),
    ("cut_out", {"right": -1}, "right is -1; expected 0 to 1"),
    ("in_article", {"aspect": 4}, "aspect is 4; expected 1 to 3"),
    ("in_post", {"comments": 11}, "comments is 11; expected 0 to 10"),
    ("in_desktop", {"share": 1}, r"share is 1; expected 0\.05 to 0\.5"),
    ("in_player", {"played": 2}, "played is 2; expected 0 to 1"),
    ("in_newspaper", {"columns": 6}, "columns is 6; expected 2 to 5"),
    ("in_search_results", {"place": 3}, "place is 3; expected 0 to 2"),
    ("halftone", {"cell": 1}, "cell is 1; expected 2 to 40"),
    ("add_moire", {"strength": 1}, r"strength is 1; expected 0 to 0\.5"),
    ("add_glare", {"size": 4}, r"size is 4; expected 0\.05 to 3"),
    ("scan", {"dust": -1}, "dust is -1; expected 0 to 500"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), CHANGED)
def test_a_parameter_out_of_bounds_is_refused(name: str, parameters: dict, message: str) -> None:
    """The message is one line with the parameter, its value, and the bounds or choices."""
    edit = EDITS[name]
    assert isinstance(edit, partial)
    with pytest.raises(UsageError, match=message) as refused:
        edit(PHOTO, **parameters)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: render("text", height=0), "height is 0; expected 1 to 1,000"),
        (
            lambda: marks.logo("cube", text="A", colour=(0, 0, 0), ink=(9, 9, 9)),
            "shape is 'cube'; expected one of: disc",
        ),
        (lambda: marks.emoji("shrug"), "name is 'shrug'; expected one of: smile"),
    ],
)
def test_signs_and_letters_have_bounds_as_well(make: Callable[[], object], message: str) -> None:
    """Sizes and names of what is drawn are checked as the edits' parameters are."""
    with pytest.raises(UsageError, match=message):
        make()
