"""Looking past ignored photos: what a query shows of them does not count, and what else it shows does."""

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest

from foundation import vectors
from foundation.photos.compressed_features import compress
from foundation.photos.local_features import extract
from foundation.photos.metadata import PhotoMetadata
from foundation.photos.photo import Photo
from foundation.photos.query_features import query_features
from foundation.photos.thumbnail import decode_thumbnail, encode_thumbnail
from foundation.store.artifact import FileRecord
from foundation.store.ignored import IgnoredPhoto
from serving.match.decoded_query import DecodedQuery
from serving.match.evidence import VIEWS, QueryPhoto, View
from serving.match.ignored import Seen, is_doubtful, look_past, outcome_of_ignored
from serving.match.verdict import judge
from serving.match.verify import verify
from serving.search.ignored import IgnoredBank, KnownIgnored
from tests.builders import content
from tests.evidence import made_evidence, made_match
from tests.serving.match.pictures import query, scene, stored

PLACARD, PHOTO, OTHER = scene(1, 300, 200), scene(2), scene(3)


def known(picture: np.ndarray, number: int = 1) -> KnownIgnored:
    """Returns a picture as it is ignored."""
    thumbnail = encode_thumbnail(picture)
    grey = cv2.cvtColor(decode_thumbnail(thumbnail), cv2.COLOR_RGB2GRAY)
    photo = IgnoredPhoto(
        name="logo.png",
        content_sha256=content(number).hex(),
        width=picture.shape[1],
        height=picture.shape[0],
        thumbnail=FileRecord(len(thumbnail), "0" * 64),
    )
    return KnownIgnored(number, photo, compress(extract(grey, by_octave=True)), thumbnail)


BANK = IgnoredBank([known(PLACARD)])


def seen(picture: np.ndarray, *, bank: IgnoredBank = BANK, content_sha256: bytes = bytes(32)) -> Seen:
    """Returns what is left of a query that shows a picture."""
    height, width = picture.shape[:2]
    photo = Photo(picture, content_sha256, width, height, "JPEG", PhotoMetadata())
    asked = DecodedQuery("asked", photo, query(picture))
    return look_past(bank, asked, asked.pictured)


def with_placard(picture: np.ndarray, *, scale: float = 1.0) -> np.ndarray:
    """Returns a picture with the placard in its upper left corner."""
    pasted, placard = picture.copy(), cv2.resize(PLACARD, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    pasted[10 : 10 + placard.shape[0], 20 : 20 + placard.shape[1]] = placard
    return pasted


def test_without_ignored_photos_a_query_is_looked_up_as_it_is():
    """Nothing is compared."""
    assert seen(PLACARD, bank=IgnoredBank()).ignored is None


@pytest.mark.parametrize(
    "picture",
    [PLACARD, cv2.resize(PLACARD, (450, 300)), PLACARD[10:190, 15:290].copy(), PLACARD[:, ::-1].copy()],
    ids=["itself", "enlarged", "cropped", "mirrored"],
)
def test_a_query_that_is_an_ignored_photo_is_told(picture: np.ndarray):
    """Edited or not: the outcome names it and its number."""
    found = seen(picture)
    assert found.ignored is BANK.known[0]
    outcome = outcome_of_ignored("asked", found.ignored)
    assert (outcome.status, "logo.png, number 1 on the list" in str(outcome.reason)) == ("not_matchable", True)


def test_the_bytes_of_an_ignored_photo_are_told_without_a_comparison():
    """By its hash alone."""
    assert seen(PHOTO, content_sha256=content(1)).ignored is BANK.known[0]


def test_a_stranger_with_the_same_placard_is_no_copy():
    """It was one before; features and blocks of pixels on the placard count no more."""
    asked, other = with_placard(PHOTO), stored(with_placard(OTHER))
    before = verify(query(asked), other)
    assert before is not None
    assert judge(before).is_copy
    found = seen(asked)
    assert found.ignored is None
    for pictured in (found.pictured, query(asked).closer.without(found.pictured.unusable)):
        after = verify(pictured, other)
        assert after is None or not judge(after).is_copy


@pytest.mark.parametrize("view", VIEWS[:2], ids=["as it is", "mirrored"])
def test_a_real_copy_with_the_placard_keeps_its_verdict(view: View):
    """What was done to it is told by all of its pixels."""
    asked = with_placard(PHOTO, scale=0.8)
    asked = asked[:, ::-1].copy() if view.is_mirrored else asked
    before, after = verify(query(asked), stored(PHOTO)), verify(seen(asked).pictured, stored(PHOTO))
    assert before is not None
    assert after is not None
    assert judge(after).name == judge(before).name
    assert judge(after).score == pytest.approx(judge(before).score, abs=0.02)
    assert after.inliers < before.inliers + 5


def test_what_lies_on_a_placard_is_looked_up():
    """Of a placard with a photo on it, the photo's features are left."""
    page = cv2.resize(PLACARD, (900, 600))
    page[200:500, 300:700] = PHOTO[:300, :400]
    found = seen(page)
    assert found.ignored is None
    shown = ~cv2.resize(found.pictured.unusable.astype(np.uint8), (900, 600)).astype(bool)
    assert shown[240:460, 340:660].mean() > 0.8
    assert shown[:150].mean() < 0.1


def test_photos_without_texture_are_told_by_their_colours():
    """A test card of two colours is one, and one of other colours is not."""
    card = np.full((120, 160, 3), 30, np.uint8)
    card[:, 80:] = (200, 40, 40)
    bank = IgnoredBank([known(card), known(PLACARD, 2)])
    assert seen(cv2.resize(card, (320, 240)), bank=bank).ignored is bank.known[0]
    assert seen(255 - card, bank=bank).ignored is None


def test_a_long_list_is_compared_block_by_block(monkeypatch: pytest.MonkeyPatch):
    """All cosines at once would take gigabytes of a list of some thousand; the suspects are the same."""
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 256)
    bank = IgnoredBank([known(OTHER), *[known(PHOTO, 2)] * 200, known(PLACARD, 3)])
    asked = query(with_placard(scene(4))).view(VIEWS[0])
    descriptors = bank._descriptors
    tracemalloc.start()
    suspects = bank.suspects(asked)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert suspects[0].number == 3
    assert peak < len(asked) * len(descriptors) * 4 / 4


def test_a_copy_that_differs_much_is_doubtful():
    """A stranger with the same logo may be called one at the first look."""
    found = made_evidence(np.eye(3), difference=np.zeros((4, 4)))
    little, much = (replace(found, dense=replace(found.dense, differing=share)) for share in (0.2, 0.3))
    assert not is_doubtful(made_match(verdict="identical"))
    assert not is_doubtful(made_match(evidence=little))
    assert is_doubtful(made_match(evidence=much))
    assert not is_doubtful(made_match(verdict="similar", evidence=much))


def test_features_of_an_area_that_is_left_out_do_not_count():
    """Neither in votes nor in proofs; all others do."""
    asked = query(PHOTO)
    area = np.zeros(asked.picture.shape[:2], bool)
    area[:, :240] = True
    left = asked.without(area).view(VIEWS[0]).keypoints[:, 0]
    every = asked.view(VIEWS[0]).keypoints[:, 0]
    assert 0 < len(left) < len(every)
    np.testing.assert_allclose(np.sort(left), np.sort(every[every + 0.5 >= 240 * 400 / 480]))
    assert asked.without(area).without(~area).features == 0


@pytest.mark.parametrize("view", VIEWS[:2], ids=["as it is", "mirrored"])
def test_pixels_of_an_area_that_is_left_out_prove_nothing(view: View):
    """They still say what was done: the map of differences is of all of them."""
    shown = PHOTO.copy()
    shown[:, 240:] = 128
    asked, photo = query(shown), stored(shown[:, ::-1].copy() if view.is_mirrored else shown)
    area = np.zeros(asked.picture.shape[:2], bool)
    area[:, :260] = True
    left_out = QueryPhoto(480, 360, query_features(shown), asked.picture, unusable=area)
    found, whole = (verify(one, photo, views=[view]) for one in (left_out, asked))
    assert found is not None
    assert whole is not None
    assert found.dense is not None
    assert whole.dense is not None
    assert (found.dense.blocks, whole.dense.blocks > 50) == (0, True)
    np.testing.assert_allclose(found.dense.difference, whole.dense.difference)
