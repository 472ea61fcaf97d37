"""The objective of copy detection: views of one photo attract, all other photos repel."""

from functools import partial

import keras
import numpy as np
import pytest

from foundation.errors import UsageError
from tests.photos import scene
from training.data import views
from training.edits.geometry import crop, mirror
from training.objectives.contrastive import batches, build, cached_size, contrastive_loss
from training.recipe import Recipe

SMALL = Recipe(
    architecture="residual",
    objective="contrastive",
    size=24,
    dimension=16,
    batch_size=16,
    learning_rate=3e-3,
    options={"filters": "8-16-24", "repeats": "1-1"},
    objective_options={"temperature": 0.1, "entropy": 0.5},
)


def unit_vectors(*shape: int) -> np.ndarray:
    """Random vectors of unit length."""
    vectors = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def losses(vectors: np.ndarray, **options: float) -> np.ndarray:
    """The loss of each photo."""
    return np.asarray(contrastive_loss(**options)(np.arange(len(vectors), dtype=np.float32), vectors))


def strangers(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both views in a row, [2 photos, n], and which of them are of other photos, [2 photos, 2 photos]."""
    photo = np.tile(np.arange(len(vectors)), 2)
    return np.concatenate([vectors[:, 0], vectors[:, 1]]), photo[:, None] != photo[None, :]


def test_the_attraction_is_the_cross_entropy_of_the_other_view():
    """Against NumPy: each view is to be told from all views of other photos."""
    vectors = unit_vectors(5, 2, 7)
    both, is_stranger = strangers(vectors)
    exponentials = np.exp(both @ both.T / 0.2)
    own = np.exp((vectors[:, 0] * vectors[:, 1]).sum(axis=1) / 0.2)
    shares = np.tile(own, 2) / (np.tile(own, 2) + (exponentials * is_stranger).sum(axis=1))
    expected = -np.log(shares).reshape(2, 5).mean(axis=0)
    np.testing.assert_allclose(losses(vectors, temperature=0.2, entropy=0.0), expected, rtol=1e-5)


def test_the_entropy_term_is_minus_the_log_distance_to_the_nearest_stranger():
    """Against NumPy, and its weight counts."""
    vectors = unit_vectors(6, 2, 4)
    both, is_stranger = strangers(vectors)
    distances = np.linalg.norm(both[:, None] - both[None, :], axis=-1)
    nearest = np.where(is_stranger, distances, np.inf).min(axis=1)
    term = losses(vectors, temperature=0.2, entropy=2.0) - losses(vectors, temperature=0.2, entropy=0.0)
    np.testing.assert_allclose(term, -2 * np.log(nearest).reshape(2, 6).mean(axis=0), rtol=1e-4)


def test_the_loss_is_finite_where_vectors_coincide():
    """Photos that all look alike to the encoder, as at the start, end no training."""
    assert np.isfinite(losses(np.ones((4, 2, 4), np.float32) / 2, temperature=0.05, entropy=1.0)).all()


def test_the_loss_is_least_where_views_agree_and_photos_differ():
    """Orthogonal photos with equal views are better than random ones, and equal photos are worst."""
    apart = np.repeat(np.eye(6, dtype=np.float32)[:, None], 2, axis=1)
    together = np.repeat(np.eye(6, dtype=np.float32)[:1], 12, axis=0).reshape(6, 2, 6)
    means = [
        losses(vectors, temperature=0.2, entropy=0.5).mean() for vectors in (apart, unit_vectors(6, 2, 6), together)
    ]
    assert means == sorted(means)


def test_both_views_go_through_the_encoder_that_is_exported():
    """The fitted model gives the vectors that the encoder gives for each view, and there are no heads."""
    models = build(SMALL)
    views = np.random.default_rng(0).integers(0, 256, (3, 2, 24, 24, 3), np.uint8)
    vectors = np.asarray(models.fitted(views))
    np.testing.assert_allclose(vectors[:, 1], models.encoder(views[:, 1]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, rtol=1e-5)
    assert models.heads == {}


def test_a_trained_encoder_finds_mirrored_and_cropped_photos(monkeypatch):
    """The loss falls, and photos that were never trained on are found among 40 far better than by chance."""
    edits = (mirror, partial(crop, share=0.7))
    monkeypatch.setattr(views, "draw_edit", lambda generator, others: edits[generator.integers(2)])
    keras.utils.set_random_seed(0)
    photos = np.stack([views.squeezed(scene(seed), size=cached_size(SMALL), channels=3) for seed in range(120)])
    models = build(SMALL)
    models.fitted.compile(keras.optimizers.Adam(SMALL.learning_rate), loss=models.loss)
    training = batches(SMALL, photos, np.arange(80), seed=0, training=True)
    history = models.fitted.fit(training, epochs=12, verbose=0).history["loss"]
    assert history[-1] < 0.6 * history[0]

    def encode(edit) -> np.ndarray:
        return np.asarray(
            models.encoder(np.stack([views.squeezed(edit(photo), size=24, channels=3) for photo in photos[80:]]))
        )

    for edit in edits:
        nearest = (encode(edit) @ encode(np.copy).T).argmax(axis=1)
        assert (nearest == np.arange(40)).mean() > 0.4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distance": "euclidean"}, "distance is 'euclidean'; the objective 'contrastive' .* expects 'cosine'"),
        ({"loss": "binary_crossentropy"}, "loss is 'binary_crossentropy'; .* expects 'mean_squared_error'"),
        ({"corruption": "mild"}, "corruption is 'mild'; .* edits of its own, .* expects 'none'"),
        ({"temperature": 0.0}, "temperature is 0.0; expected 0.01 to 10"),
        ({"entropy": 2000.0}, "entropy is 2000.0; expected 0 to 1,000"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    """Before anything is decoded, with what was received and what is expected."""
    with pytest.raises(UsageError, match=message):
        build(SMALL.override(**changes))


def test_an_unknown_option_lists_the_valid_ones():
    """A recipe of somebody else's that misspells one is told so."""
    wrong = Recipe(architecture="residual", size=24, objective="contrastive", objective_options={"heat": 1.0})
    with pytest.raises(UsageError, match="'contrastive' has no option 'heat'; expected one of: temperature, entropy"):
        build(wrong)


def test_it_trains_under_jax_too(run_python):
    """The code names no backend: what is fitted with TensorFlow is fitted with JAX, where that is installed."""
    pytest.importorskip("jax", reason="JAX is not installed")
    run_python(
        "import os; os.environ['KERAS_BACKEND'] = 'jax'\n"
        "import keras, numpy as np\n"
        "from tests.training.objectives.test_contrastive import SMALL, batches, build\n"
        "assert keras.config.backend() == 'jax'\n"
        "photos = np.random.default_rng(0).integers(0, 256, (16, 48, 48, 3), np.uint8)\n"
        "models = build(SMALL)\n"
        "models.fitted.compile('adam', loss=models.loss)\n"
        "history = models.fitted.fit(batches(SMALL, photos, np.arange(16), seed=0, training=True), verbose=0).history\n"
        "assert np.isfinite(history['loss']).all()\n"
    )
