"""Names what the study compares: data sets, and on each the encoders of the literature at one dimension and more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from evaluation.baselines import fixed_baselines
from evaluation.study.result import Kind
from foundation.errors import UsageError
from training import recipe as recipes
from training.choices import Scalar
from training.recipe import Recipe

SEED = 0
# The literature's systems as the project lists them; an encoder with a higher number is our own.
SYSTEMS = 13
# The error on the training split is measured on so many of its photos: the mean over more would be the same.
TRAINING_SAMPLE = 10_000
ROBUSTNESS_QUERIES = 2_000
TIMED_BATCHES = 20
# Encoders whose code can have any dimension all get this one, so that what differs is the kind of network.
DIMENSION = 64
# PCA stands beside the encoders at each dimension of the curve.
PCA_DIMENSIONS = (32, 128, 256)
GREY = ("mnist", "fashion_mnist")
COLOUR = "colour"
COLOUR_DIMENSION = 512


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One encoder to train: a recipe, and what it changes of it.

    `number` is its place in the list of the literature's systems, or above `SYSTEMS`. A `name` that ends in `@N` is
    the same network at another dimension.
    """

    name: str
    title: str
    number: int
    recipe: str
    kind: Kind = "autoencoder"
    changes: Mapping[str, Scalar] = field(default_factory=dict)

    def settings(self, dataset: "Dataset") -> Recipe:
        """Returns the recipe as it is trained on that data set."""
        return recipes.load(self.recipe).override(**self.overrides(dataset))

    def overrides(self, dataset: "Dataset") -> dict[str, Scalar]:
        """Returns what is changed of the recipe for that data set."""
        return {"size": dataset.size, "channels": dataset.channels, **self.changes}


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One data set: its sources for training and test, as `firstseen train --source` takes them, and its entries.

    `dimension` is that of PCA beside the entries. Pictures show its photos only if `are_photos_free`.
    """

    name: str
    training: str
    test: str
    size: int
    channels: int
    dimension: int
    entries: tuple[Entry, ...]
    curve: tuple[Entry, ...] = ()
    pca_dimensions: tuple[int, ...] = ()
    are_photos_free: bool = True

    @property
    def every_entry(self) -> dict[str, Entry]:
        """All entries by name, those of the curve too."""
        return {entry.name: entry for entry in (*self.entries, *self.curve)}

    @property
    def every_pca(self) -> dict[str, int]:
        """The dimensions of PCA by the names of its results; the first is the one of the tables."""
        return {"pca": self.dimension} | {f"pca@{dimension}": dimension for dimension in self.pca_dimensions}

    @property
    def baselines(self) -> tuple[str, ...]:
        """The names of the baselines: those that learn nothing, and PCA."""
        return (*fixed_baselines(), *self.every_pca)


def _at(entry: Entry, *dimensions: int) -> tuple[Entry, ...]:
    """Returns the entry at other dimensions, for the curve."""
    return tuple(
        replace(entry, name=f"{entry.name}@{dimension}", changes={**entry.changes, "dimension": dimension})
        for dimension in dimensions
    )


def _recipe(number: int, name: str, title: str, kind: Kind = "autoencoder") -> Entry:
    return Entry(name=name, title=title, number=number, recipe=name, kind=kind)


DENSE = _recipe(1, "dense", "fully connected")
UPSAMPLING = _recipe(2, "convolution_upsampling", "convolution + up-sampling")
TRANSPOSE = _recipe(3, "convolution_transpose", "convolution + transpose convolution")
DENSE_UPSAMPLING = _recipe(4, "convolution_dense_upsampling", "convolution + fully connected + up-sampling")
DENSE_TRANSPOSE = _recipe(5, "convolution_dense_transpose", "convolution + fully connected + transpose convolution")
COLOUR_ENTRY = _recipe(11, "colour", "colour, 8 × 8 × 8 bottleneck")
# What `firstseen train` makes of photographs when no recipe is named. It learns from mildly damaged photos, and gets
# the dimension of the literature's colour network, so that their codes are equally long.
DEFAULT_ENTRY = replace(
    _recipe(SYSTEMS + 1, "convolutional", "default recipe (convolutional)", "denoising"),
    changes={"dimension": COLOUR_DIMENSION},
)
GREY_ENTRIES = (
    DENSE,
    UPSAMPLING,
    TRANSPOSE,
    DENSE_UPSAMPLING,
    DENSE_TRANSPOSE,
    _recipe(6, "variational_convolutional", "variational, convolutional", "variational"),
    _recipe(7, "variational_recurrent", "variational, recurrent (GRU)", "variational"),
    _recipe(8, "recurrent", "recurrent (LSTM)"),
    _recipe(9, "attention", "recurrent with attention"),
    _recipe(10, "denoising", "denoising, convolutional", "denoising"),
    _recipe(12, "binary_crossentropy", "convolutional 32–16–8, binary cross-entropy"),
    _recipe(13, "reverse_image_search", "dense bottleneck of 32"),
)
# These train longer than the tables' entries, and up-sampling gets a larger map, to see what the kind can reach.
LONGER = {"epochs": 10}
GREY_CURVE = (
    *_at(DENSE, 128, 256),
    *_at(UPSAMPLING, 256),
    *_at(replace(UPSAMPLING, changes={**LONGER, "filters": "16-32"}), 392),
    *_at(DENSE_UPSAMPLING, 128),
    *_at(replace(DENSE_UPSAMPLING, changes=LONGER), 256),
)
COLOUR_CURVE = (*_at(COLOUR_ENTRY, 1024), *_at(DEFAULT_ENTRY, 256))


def plan(names: Sequence[str], colour: tuple[str, str] | None) -> list[Dataset]:
    """Returns the data sets to study: grey ones by name, and one of the two sources of colour photographs.

    Without any, both grey ones. Raises UsageError on a name that is not in `GREY`.
    """
    for name in names:
        if name not in GREY:
            raise UsageError(f"no data set {name!r} in the study; expected one of: {', '.join(GREY)}")
    grey = names or (() if colour else GREY)
    return [grey_dataset(name) for name in dict.fromkeys(grey)] + ([colour_dataset(*colour)] if colour else [])


def every_dataset() -> list[Dataset]:
    """Returns all data sets of the study; where photographs come from changes nothing in what is planned for them."""
    return plan(GREY, (COLOUR, COLOUR))


def grey_dataset(name: str) -> Dataset:
    """Returns MNIST or Fashion-MNIST, as TensorFlow Datasets name them."""
    return Dataset(
        name=name,
        training=f"tfds:{name}/train",
        test=f"tfds:{name}/test",
        size=28,
        channels=1,
        dimension=DIMENSION,
        entries=GREY_ENTRIES,
        curve=GREY_CURVE,
        pca_dimensions=PCA_DIMENSIONS,
    )


def colour_dataset(training: str, test: str) -> Dataset:
    """Returns a set of colour photographs, such as downsampled ImageNet; they are not shown."""
    return Dataset(
        name=COLOUR,
        training=training,
        test=test,
        size=32,
        channels=3,
        dimension=COLOUR_DIMENSION,
        entries=(COLOUR_ENTRY, DEFAULT_ENTRY),
        curve=COLOUR_CURVE,
        pca_dimensions=(1024,),
        are_photos_free=False,
    )
