"""Kinds of edits by name: what is drawn, that seeds decide it, and chains of several."""

import json

import numpy as np
import pytest

from foundation.errors import UsageError
from tests.photos import scene
from tests.training.edits.golden_kinds import FILE, OTHERS, PHOTO, summaries
from training.edits.families import files, surroundings
from training.edits.kinds import COMMON, HARD, KINDS, draw, draw_chain, verdict_of

ODD = [(17, 9), (40, 40), (448, 1), (1, 30)]
ONE_WAY = {"mirrored", "upside_down_mirrored", "half_turn", "colours_inverted", "thumbnail_of_96_pixels"}
FEW_WAYS = {"quarter_turn", "letterboxed", "blurred_sides", "crop_to_other_aspect"} | {
    "gif_palette",
    "posterised",
    "cartoon",
}
VERDICTS = {"reencoded", "resized", "cropped", "mirrored", "rotated", "recoloured", "overlaid", "embedded", "edited"}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_changes_any_photo_and_repeats_itself(name: str) -> None:
    """Photos of all sizes become uint8 of three channels; one edit gives the same twice, one seed the same edit."""
    for seed, (height, width) in enumerate([PHOTO.shape[:2], *ODD]):
        photo = scene(seed, width=width, height=height)
        before = photo.copy()
        one, other = (draw(name, np.random.default_rng(seed), OTHERS) for _ in range(2))
        edited = one(photo)
        assert (edited.dtype, edited.ndim, edited.shape[2]) == (np.uint8, 3, 3)
        np.testing.assert_array_equal(edited, other(photo))
        np.testing.assert_array_equal(edited, one(photo))
        np.testing.assert_array_equal(photo, before)
    changed = draw(name, np.random.default_rng(0), OTHERS)(PHOTO)
    assert changed.shape != PHOTO.shape or np.any(changed != PHOTO)


@pytest.mark.parametrize("name", sorted(set(KINDS) - ONE_WAY))
def test_another_seed_draws_another_edit(name: str) -> None:
    """What can be done in more than one way is: eight seeds give at least two results, most kinds six and more."""
    results = {draw(name, np.random.default_rng(seed), OTHERS)(PHOTO).tobytes() for seed in range(8)}
    assert len(results) >= (2 if name in FEW_WAYS else 6)


def test_every_kind_is_common_or_hard_and_has_a_verdict() -> None:
    """The two sets share no name and hold all; each kind's verdict is that of a copy, its name the one it has here."""
    assert sorted(COMMON + HARD) == sorted(KINDS)
    assert (len(set(COMMON)), len(set(HARD))) == (len(COMMON), len(HARD))
    assert {kind.verdict for kind in KINDS.values()} == VERDICTS
    assert all(kind.name == name for name, kind in KINDS.items())


@pytest.mark.parametrize("name", KINDS)
def test_kinds_that_need_other_photos_say_so(name: str) -> None:
    """Without others a kind either works or is refused in one line that says what it needs."""
    if KINDS[name].needs_others:
        with pytest.raises(UsageError, match=f"{name} needs other photos and got none; expected at least one"):
            draw(name, np.random.default_rng(0), [])
    else:
        assert draw(name, np.random.default_rng(0), [])(PHOTO).size


@pytest.mark.parametrize("name", KINDS)
def test_others_may_be_one_array(name: str) -> None:
    """A batch of photos as training holds it does as well as a list."""
    batch = np.stack([scene(seed) for seed in range(3)])
    edits = [draw(name, np.random.default_rng(2), others) for others in (batch, list(batch))]
    np.testing.assert_array_equal(edits[0](PHOTO), edits[1](PHOTO))


def test_an_unknown_kind_is_refused() -> None:
    """The message lists the kinds there are."""
    with pytest.raises(UsageError, match=r"kind is 'melted'; expected one of: .*mirrored"):
        draw("melted", np.random.default_rng(0), [])


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_a_chain_makes_its_kinds_one_after_the_other(length: int) -> None:
    """As many names as asked for, none twice; the seed decides them and what they do."""
    for seed in range(10):
        names, edit = draw_chain(np.random.default_rng(seed), OTHERS, length=length)
        again, same = draw_chain(np.random.default_rng(seed), OTHERS, length=length)
        assert names == again
        assert len(set(names)) == length
        np.testing.assert_array_equal(edit(PHOTO), same(PHOTO))


def test_chains_put_the_file_last_and_the_surroundings_before_it() -> None:
    """Nobody crops a photo out of the page before it is in it: what changes the picture comes first, in any order."""
    first = set()
    for seed in range(200):
        names, _ = draw_chain(np.random.default_rng(seed), OTHERS, length=4)
        stages = [(KINDS[name] in files.KINDS) * 2 + (KINDS[name] in surroundings.KINDS) for name in names]
        assert stages == sorted(stages)
        first.add(names[0])
    assert len(first) > 30


def test_chains_do_without_other_photos() -> None:
    """Where there are none, only kinds that need none are drawn."""
    for seed in range(60):
        names, edit = draw_chain(np.random.default_rng(seed), [], length=5)
        assert not any(KINDS[name].needs_others for name in names)
        assert edit(PHOTO).shape[2] == 3


@pytest.mark.parametrize("length", [1, 6])
def test_chains_of_other_lengths_are_refused(length: int) -> None:
    """One kind is no chain, and more than five families are not there."""
    with pytest.raises(UsageError, match=rf"length is {length}; expected 2 to 5"):
        draw_chain(np.random.default_rng(0), OTHERS, length=length)


@pytest.mark.parametrize(
    ("names", "verdict"),
    [
        (["mirrored"], "mirrored"),
        (["mirrored", "webp"], "mirrored"),
        (["made_smaller", "webp"], "resized"),
        (["noisy", "webp"], "reencoded"),
        (["crop_to_half", "made_larger"], "cropped"),
        (["crop_to_half", "mirrored"], "edited"),
        (["grey", "in_screenshot", "webp"], "edited"),
    ],
)
def test_the_verdict_of_a_chain(names: list[str], verdict: str) -> None:
    """Several things done are `edited`; saving anew or at another size beside something else changes nothing."""
    assert verdict_of(names) == verdict


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_draws_what_it_always_drew(name: str) -> None:
    """Size and colours in nine fields are those of the golden file, but for what processors round otherwise."""
    expected = json.loads(FILE.read_text())
    assert expected.keys() == KINDS.keys()
    found = summaries(name)
    assert [one["shape"] for one in found] == [one["shape"] for one in expected[name]]
    for one, other in zip(found, expected[name], strict=True):
        np.testing.assert_allclose(one["fields"], other["fields"], atol=3)
