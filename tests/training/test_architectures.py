"""Every family of architectures: its shapes at any size, what it refuses, and what makes it the family it is."""

import keras
import numpy as np
import pytest

from foundation.errors import UsageError
from training import recipe
from training.architecture import Autoencoder, build, names
from training.objectives import reconstruction
from training.recipe import Recipe

# Small enough to build in a moment; a dimension that every map fills.
SMALL = {
    "attention": {"units": 8, "slots": 2},
    "convolutional": {"filters": 4, "halvings": 2},
    "dense": {"hidden": "16-8"},
    "pooling": {"filters": "4-6"},
    "recurrent": {"units": 8},
    "variational": {"filters": "4-6"},
    # With a whole divergence it would first learn to ignore so few photos.
    "variational_recurrent": {"units": 8, "beta": 0.01},
}
# These have no decoder, and tests of their own.
ENCODERS_ALONE = {"backbone", "residual"}


def small(
    architecture: str, *, size: int = 9, channels: int = 1, dimension: int = 6, distance="euclidean", **options
) -> Recipe:
    """A recipe for a small model of a family."""
    return Recipe(
        architecture=architecture,
        size=size,
        channels=channels,
        dimension=dimension,
        distance=distance,
        options={**SMALL[architecture], **options},
    )


def make(architecture: str, **settings) -> Autoencoder:
    """A small autoencoder of a family."""
    return build(small(architecture, **settings))


def photos(size: int = 9, channels: int = 1, count: int = 3) -> np.ndarray:
    """Random photos."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), np.uint8)


def require_shapes(model: Autoencoder, asked: np.ndarray, dimension: int) -> None:
    """Fails unless vectors and decoded photos are what an encoder of the store gives."""
    vectors = np.asarray(model.encoder(asked))
    assert (vectors.shape, vectors.dtype) == ((len(asked), dimension), np.float32)
    decoded = np.asarray(model.decoder(vectors))
    assert (decoded.shape, decoded.dtype) == (asked.shape, np.float32)
    assert 0 <= decoded.min() <= decoded.max() <= 1


def test_every_family_is_tested_here():
    """A new file in the folder needs a line in `SMALL`, or tests of its own."""
    assert sorted({*SMALL, *ENCODERS_ALONE}) == names()


@pytest.mark.parametrize("architecture", sorted(SMALL))
@pytest.mark.parametrize(("size", "channels"), [(9, 3), (16, 1)])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_any_size_comes_back_in_its_shape(architecture, size, channels, distance):
    """Grey and colour, sizes that halve evenly or not, both distances; a cosine code has unit length."""
    # Of eight features that are cut off below zero, all are 0 for some photo at one start of the weights in fifty.
    keras.utils.set_random_seed(0)
    model = make(architecture, size=size, channels=channels, distance=distance)
    asked = photos(size, channels)
    require_shapes(model, asked, 6)
    if distance == "cosine":
        np.testing.assert_allclose(np.linalg.norm(model.encoder(asked), axis=1), 1, rtol=1e-3)


@pytest.mark.parametrize("architecture", sorted(SMALL))
def test_mixed_precision_gives_single_precision(architecture):
    """Whatever precision computes inside, vectors and photos come out as float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = make(architecture)
    finally:
        keras.config.set_dtype_policy(before)
    require_shapes(model, photos(), 6)
    assert "float16" in {layer.compute_dtype for layer in [*model.encoder.layers, *model.decoder.layers]}


@pytest.mark.parametrize("architecture", sorted(SMALL))
def test_training_lowers_the_loss(architecture):
    """Thirty steps on a few photos of one bright half each make the reconstruction better."""
    generator = np.random.default_rng(0)
    asked = np.zeros((32, 9, 9, 1), np.uint8)
    for photo in asked:
        photo[slice(0, 5) if generator.random() < 0.5 else slice(5, 9)] = 255
    keras.utils.set_random_seed(0)
    model = reconstruction.build(small(architecture)).fitted
    model.compile("adam", "mean_squared_error")
    model.optimizer.learning_rate = 0.01
    target = asked.astype(np.float32) / 255
    before = np.square(np.asarray(model(asked)) - target).mean()
    model.fit(asked, target, batch_size=32, epochs=30, verbose=0)
    assert np.square(np.asarray(model(asked)) - target).mean() < 0.9 * before


@pytest.mark.parametrize("decoder", ["upsampling", "transpose"])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("fully_connected", [True, False])
def test_convolutions_with_and_without_fully_connected_layers(decoder, pooling, fully_connected):
    """Either decoder, either pooling; without fully connected layers the code is the map of 3 × 3."""
    model = make("pooling", dimension=18, decoder=decoder, pooling=pooling, fully_connected=fully_connected, repeats=2)
    require_shapes(model, photos(), 18)
    kinds = {type(layer).__name__ for layer in [*model.encoder.layers, *model.decoder.layers]}
    assert ("Conv2DTranspose" in kinds, "UpSampling2D" in kinds) == (decoder == "transpose", decoder == "upsampling")
    assert ("MaxPooling2D" in kinds, "AveragePooling2D" in kinds) == (pooling == "max", pooling == "average")
    assert ("Dense" in kinds) == fully_connected


def test_dropout_acts_in_training_alone():
    """An encoder that dropped features when it encodes would give another vector each time."""
    model = make("pooling", dropout=0.5)
    asked = photos()
    np.testing.assert_array_equal(model.encoder(asked), model.encoder(asked))
    assert np.abs(np.asarray(model.encoder(asked, training=True)) - np.asarray(model.encoder(asked))).max() > 1e-3


@pytest.mark.parametrize("architecture", ["variational", "variational_recurrent"])
def test_variational_encoders_give_the_mean(architecture):
    """In training each call is another sample, and the divergence is a loss; an encoder gives the mean, without one."""
    model = make(architecture)
    asked = photos()
    means = np.asarray(model.encoder(asked))
    assert model.encoder.losses == []
    np.testing.assert_array_equal(means, model.encoder(asked))
    samples = [np.asarray(model.encoder(asked, training=True)) for _ in range(2)]
    assert np.abs(samples[0] - samples[1]).max() > 0.1
    assert len(model.encoder.losses) == 1


def test_the_code_of_attention_is_all_that_the_decoder_gets():
    """Attention looks at what the code restores, never at the photo: a decoder works from vectors alone."""
    model = make("attention")
    assert model.decoder.input_shape == (None, 6)
    assert "AdditiveAttention" in {type(layer).__name__ for layer in model.decoder.layers}


@pytest.mark.parametrize(
    ("architecture", "changes", "message"),
    [
        ("pooling", {"dimension": 10, "fully_connected": False}, "does not fill a map of 3 × 3; .* multiple of 9"),
        (
            "pooling",
            {"filters": "16-x"},
            "filters is '16-x'; expected at least one width: whole numbers from 1 to",
        ),
        ("pooling", {"filters": ""}, "filters is ''; expected at least one width"),
        ("pooling", {"pooling": "median"}, "pooling is 'median'; expected one of: max, average"),
        ("pooling", {"decoder": "magic"}, "decoder is 'magic'; expected one of: upsampling, transpose"),
        ("pooling", {"dropout": 1.5}, "dropout is 1.5; expected 0 to 0.99"),
        ("pooling", {"size": 8, "filters": "4-4-4-4"}, "size 8 is too small for 4 halvings; expected at least 9"),
        ("variational", {"size": 8, "filters": "4-4-4-4"}, "size 8 is too small for 4 halvings"),
        ("pooling", {"dimension": 5, "fully_connected": False}, "a multiple of 9, such as 9 or 18, or fully_connected"),
        ("pooling", {"repeats": 200}, "repeats is 200; expected 1 to 8"),
        ("convolutional", {"halvings": 20_000}, "halvings is 20000; expected 1 to 10"),
        ("recurrent", {"units": 20_000}, "units is 20000; expected 1 to 4,096"),
        ("variational_recurrent", {"units": 20_000}, "units is 20000; expected 1 to 4,096"),
        ("attention", {"units": 20_000}, "units is 20000; expected 1 to 4,096"),
        ("attention", {"slots": 20_000}, "slots is 20000; expected 1 to 1,024"),
        ("dense", {"hidden": "-".join("1" * 3_000)}, "such as '16-32', 16 at most"),
        ("dense", {"hidden": "12.5"}, "hidden is '12.5'; expected whole numbers"),
        ("dense", {"hidden": "99999999999"}, "hidden is '99999999999'; expected whole numbers from 1 to 65536"),
    ],
)
def test_impossible_options_are_refused(architecture, changes, message):
    """An option that cannot be built ends with what was received and what is expected."""
    with pytest.raises(UsageError, match=message):
        make(architecture, **changes)


def test_the_deepest_pooling_is_built():
    """What the ranges allow does not end in Keras' own recursion."""
    deepest = {"size": 1024, "filters": "-".join("1" * 10), "repeats": 8, "decoder": "transpose"}
    assert make("pooling", **deepest).decoder.output_shape == (None, 1024, 1024, 1)


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_builds(name):
    """The recipe's own settings fit each other."""
    settings = recipe.load(name)
    model = build(settings)
    assert model.encoder.output_shape == (None, settings.dimension)
    if isinstance(model, Autoencoder):
        assert model.decoder.output_shape == model.encoder.input_shape
    else:
        assert settings.architecture in ENCODERS_ALONE
