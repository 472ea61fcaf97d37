"""Batches of views: the same for the same seed and epoch, and in validation for every epoch."""

import os

import keras
import numpy as np

from training.data.view_batches import ViewBatches

PHOTOS = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


def make(*, seed: int = 0, training: bool = True, epoch: int = 0) -> ViewBatches:
    """Batches of twelve of the photos."""
    batches = ViewBatches(PHOTOS, np.arange(4, 16), size=16, batch_size=5, seed=seed, shuffle=training)
    batches.epoch = epoch
    return batches


def test_batches_hold_two_views_of_each_photo_and_its_place():
    """The places tell the loss which views are of one photo; validation sees every photo."""
    batches = make(training=False)
    shapes = [views.shape for views, _ in (batches[number] for number in range(len(batches)))]
    assert shapes == [(5, 2, 16, 16, 3), (5, 2, 16, 16, 3), (2, 2, 16, 16, 3)]
    views, places = batches[2]
    assert views.dtype == np.uint8
    np.testing.assert_array_equal(places, [0, 1])


def test_training_draws_anew_in_every_epoch_and_as_the_seed_says():
    """An interrupted training goes on with the views that it would have had."""
    np.testing.assert_array_equal(make(epoch=3)[1][0], make(epoch=3)[1][0])
    assert not np.array_equal(make(epoch=3)[1][0], make(epoch=4)[1][0])
    assert not np.array_equal(make(seed=1)[1][0], make(seed=2)[1][0])


def test_validation_is_the_same_in_every_epoch():
    """Its loss decides which epoch is best: it has to measure the same each time."""
    np.testing.assert_array_equal(make(training=False, epoch=0)[1][0], make(training=False, epoch=7)[1][0])


def test_threads_that_work_ahead_never_mix_epochs(monkeypatch):
    """Keras fills its queue by several threads: each batch is still that of the present epoch, and in its order."""
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    seen = []

    class Remember(ViewBatches):
        def __getitem__(self, batch: int):
            views, _places = super().__getitem__(batch)
            return views.astype(np.float32), np.full(len(views), self.epoch * 100 + batch, np.float32)

    batches = Remember(PHOTOS, np.arange(20), size=16, batch_size=5, seed=0, shuffle=True)
    places = keras.Input((2, 16, 16, 3))
    model = keras.Model(places, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling3D()(places)))

    def loss(marks, vectors):
        seen.append(float(keras.ops.convert_to_numpy(marks).ravel()[0]))
        return keras.ops.mean(vectors, axis=-1) * 0

    class SetEpoch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            batches.epoch = epoch

    model.compile("sgd", loss=loss, run_eagerly=True)
    model.fit(batches, epochs=3, verbose=0, shuffle=False, callbacks=[SetEpoch()])
    assert seen == [epoch * 100 + batch for epoch in range(3) for batch in range(4)]
