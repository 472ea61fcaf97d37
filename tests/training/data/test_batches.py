"""Batches: seeded, complete, disjoint from the validation photos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InputNotFoundError
from training.data.batches import PhotoBatches, split

PHOTOS = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)


def seen(batches: PhotoBatches) -> list[int]:
    """The numbers of the photos of one epoch, in their order."""
    return [int(photo[0, 0, 0]) for batch in range(len(batches)) for photo in batches[batch][0]]


def test_pairs_are_photos_and_themselves_between_0_and_1():
    """The target of an undamaged photo is the photo, as float32."""
    photos, targets = PhotoBatches(PHOTOS, np.arange(20), batch_size=8, seed=0)[0]
    assert (photos.dtype, targets.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(targets, photos / np.float32(255))


def test_order_depends_on_seed_and_epoch_alone():
    """The same epoch of the same seed is the same; the next epoch and another seed are not."""

    def epoch(seed: int, number: int) -> list[int]:
        batches = PhotoBatches(PHOTOS, np.arange(20), batch_size=4, seed=seed, shuffle=True)
        batches.epoch = number
        return seen(batches)

    assert epoch(0, 1) == epoch(0, 1)
    assert epoch(0, 1) != epoch(0, 2)
    assert epoch(0, 1) != epoch(1, 1)
    assert sorted(epoch(0, 1)) == list(range(20))


def test_the_order_of_an_epoch_is_drawn_once(monkeypatch):
    """It is the same for all batches, so that a large archive is not shuffled for each; the next epoch draws anew."""
    batches = PhotoBatches(PHOTOS, np.arange(20), batch_size=4, seed=3, shuffle=True)
    seeds = []
    generator = np.random.default_rng

    def watch(seed: tuple[int, ...]) -> np.random.Generator:
        seeds.append(seed)
        return generator(seed)

    monkeypatch.setattr(np.random, "default_rng", watch)
    for batches.epoch in (0, 1):
        seen(batches)
    assert [seed for seed in seeds if len(seed) == 2] == [(3, 0), (3, 1)]


def test_shuffled_batches_are_all_full_and_others_complete():
    """Training sees batches of one shape; validation sees every photo."""
    training = PhotoBatches(PHOTOS, np.arange(18), batch_size=8, seed=0, shuffle=True)
    validation = PhotoBatches(PHOTOS, np.arange(18), batch_size=8, seed=0)
    assert [len(training[batch][0]) for batch in range(len(training))] == [8, 8]
    assert seen(validation) == list(range(18))


def test_few_photos_make_one_batch():
    """Fewer photos than a batch holds are still trained on."""
    assert len(seen(PhotoBatches(PHOTOS, np.arange(3), batch_size=8, seed=0, shuffle=True))) == 3


def test_corruption_damages_the_input_and_not_the_target():
    """Damage is seeded, and the clean photo stays the target."""
    batches = PhotoBatches(PHOTOS, np.arange(20), batch_size=20, seed=0, corruption="mild")
    damaged, targets = batches[0]
    assert damaged.dtype == np.uint8
    assert not np.array_equal(damaged, PHOTOS)
    np.testing.assert_allclose(targets * 255, PHOTOS, rtol=1e-5)
    np.testing.assert_array_equal(damaged, batches[0][0])


@given(photos=st.integers(2, 500), share=st.floats(0.01, 0.5), seed=st.integers(0, 5))
def test_split_is_disjoint_and_complete(photos, share, seed):
    """Every photo is either trained on or validated with, and neither side is empty."""
    training, validation = split(photos, validation_share=share, seed=seed)
    assert sorted([*training, *validation]) == list(range(photos))
    assert len(training) >= 1
    assert len(validation) >= 1


def test_one_photo_is_too_few():
    """A single photo cannot be split."""
    with pytest.raises(InputNotFoundError, match="1 usable photo; expected at least 2"):
        split(1, validation_share=0.1, seed=0)
