"""Pictures of the study: each is a PNG that holds what it is said to show, and absent where nothing is known."""

import io

import matplotlib
import numpy as np
import pytest
from PIL import Image

from evaluation.study.figures_curves import curve_pictures
from evaluation.study.figures_numbers import code_space, losses, robustness
from evaluation.study.figures_photos import decoded, disturbed, failure_pictures, neighbours, photo_pictures, worst
from evaluation.study.picture import GREEN, VERMILION
from evaluation.study.sheet import Heading, Row, Tile, draw_sheet
from evaluation.study.studied import Studied
from tests.evaluation.study.made_results import every_result, made_baseline, made_examples, made_result


def image(png: bytes) -> Image.Image:
    """Returns the picture of a PNG."""
    return Image.open(io.BytesIO(png))


def has_colour(png: bytes, colour: str) -> bool:
    """Returns whether more than a stroke of the picture has that colour, as near as a palette keeps it."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return (np.abs(np.asarray(image(png).convert("RGB")).astype(int) - wanted).max(axis=2) < 12).sum() > 50


def settings() -> dict[str, object]:
    """Returns matplotlib's settings, but for the backend: asking for it chooses one."""
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}


@pytest.fixture(scope="module")
def everything() -> Studied:
    """A data set with all entries, each with all examples."""
    results = every_result("mnist")
    return Studied("mnist", results, {result.entry: made_examples() for result in results})


def test_every_picture_is_a_small_png_with_words(everything: Studied) -> None:
    """Ten pictures and more, different names, palettes, alternative text and a caption each."""
    pictures = [*curve_pictures(everything), *photo_pictures(everything), *failure_pictures(everything)]
    pictures += [picture for draw in (losses, robustness, code_space) if (picture := draw(everything))]
    assert len({picture.name for picture in pictures}) == len(pictures) == 11
    for picture in pictures:
        assert image(picture.png).mode == "P", picture.name
        assert len(picture.png) < 300_000, picture.name
        assert len(picture.alt) > 20, picture.name
        assert len(picture.caption) > 60, picture.name
        assert "[" not in picture.alt, picture.name


def test_pictures_are_the_same_for_equal_results(everything: Studied) -> None:
    """Byte for byte, and the user's matplotlib settings stay as they were."""
    before = settings()
    assert robustness(everything) == robustness(everything)
    assert photo_pictures(everything) == photo_pictures(everything)
    assert settings() == before


@pytest.mark.parametrize("draw", [losses, robustness, code_space, curve_pictures, photo_pictures, failure_pictures])
def test_nothing_is_drawn_of_nothing(draw) -> None:
    """A baseline without examples gives no picture and no error."""
    result = made_baseline("raw_pixels")
    bare = Studied("mnist", [type(result)(**{**vars(result), "robustness": {}})], {})
    assert not draw(bare)


def test_right_and_wrong_answers_are_framed_in_their_colours() -> None:
    """Green for right, vermilion for wrong, neither where nobody knows."""
    photo = np.zeros((28, 28, 1), np.uint8)
    drawn = {right: draw_sheet([Row(["7"], [Tile(photo, right)])]) for right in (True, False, None)}
    assert [has_colour(drawn[right], GREEN) for right in (True, False, None)] == [True, False, False]
    assert [has_colour(drawn[right], VERMILION) for right in (True, False, None)] == [False, True, False]


def test_photos_stand_in_a_sheet_pixel_by_pixel() -> None:
    """A small photo is enlarged without smoothing; colour photos keep their colours."""
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    sheet = np.asarray(image(draw_sheet([Row([], [Tile(photo)])])).convert("RGB"))
    assert any(
        np.array_equal(sheet[top : top + 64 : 2, left : left + 64 : 2], photo)
        for top in range(20)
        for left in range(20)
    )


def test_a_heading_is_never_cut_off() -> None:
    """The sheet is as wide as its longest heading."""
    row = Row(["a"], [Tile(np.zeros((28, 28, 1), np.uint8))])
    narrow, wide = (image(draw_sheet([Heading("", {0: words}), row])) for words in ("short", "words " * 12))
    assert wide.width > narrow.width + 300


def test_disturbed_photos_are_shown_for_the_three_kinds(everything: Studied) -> None:
    """Fewer kinds, a lower picture."""
    one = Studied("mnist", everything.results, {"denoising": everything.examples["denoising"]})
    three, alone = disturbed(everything), disturbed(one)
    assert three is not None
    assert alone is not None
    assert image(three.png).height > 2.5 * image(alone.png).height


def test_photographs_are_shown_by_both_of_their_encoders() -> None:
    """The literature's network and the default recipe stand side by side where the usual ones were not trained."""
    results = [made_result("colour", dataset="colour"), made_result("convolutional", dataset="colour", title="default")]
    results.append(made_baseline("raw_pixels", dataset="colour"))
    examples = {result.entry: made_examples(size=32, channels=3, seed=n) for n, result in enumerate(results)}
    for draw in (decoded, worst, neighbours):
        both, alone = (draw(Studied("colour", results[part:], examples)) for part in (0, 1))
        assert both is not None
        assert alone is not None
        assert "“default”" in both.caption
        assert "“colour, 8 × 8 × 8 bottleneck”" in both.caption
        assert "“colour" not in alone.caption
        assert "scikit-image" in both.caption
        sizes = [image(picture.png).size for picture in (both, alone)]
        assert sizes[0] > sizes[1] or sizes[0][1] > sizes[1][1], draw


def test_neighbours_are_marked_where_they_stand(everything: Studied) -> None:
    """As many green frames as neighbours of the query's class, as many orange ones as others."""
    picture = neighbours(everything)
    assert picture is not None
    pixels = np.asarray(image(picture.png).convert("RGB")).astype(int)
    for colour in (GREEN, VERMILION):
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=2) < 12).sum() > 1_000
    assert "precision@10" in picture.caption
