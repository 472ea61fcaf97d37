"""The plan: its names, its data sets, and that each entry is what its name says."""

import pytest

from evaluation.baselines import fixed_baselines
from evaluation.study.plan import (
    COLOUR,
    COLOUR_DIMENSION,
    DEFAULT_ENTRY,
    DIMENSION,
    GREY,
    SYSTEMS,
    every_dataset,
    plan,
)
from foundation.errors import UsageError
from training import recipe as recipes

EVERY = every_dataset()


def test_without_names_both_grey_data_sets_are_studied():
    """Beside photographs none, unless it is named; a name given twice counts once."""
    names = {
        "none": [dataset.name for dataset in plan([], None)],
        "colour": [dataset.name for dataset in plan([], ("a", "b"))],
        "both": [dataset.name for dataset in plan(["mnist", "mnist"], ("a", "b"))],
    }
    assert names == {"none": list(GREY), "colour": [COLOUR], "both": ["mnist", COLOUR]}


def test_an_unknown_data_set_is_refused():
    """The message lists the names there are; photographs are not asked for by name."""
    for name in ("cifar", COLOUR):
        with pytest.raises(
            UsageError, match=f"no data set '{name}' in the study; expected one of: mnist, fashion_mnist"
        ):
            plan([name], None)


def test_photographs_come_from_where_the_user_says():
    """What is planned for them is the same wherever they lie; their pictures may not be shown."""
    [dataset] = plan([], ("train", "test"))
    assert (dataset.training, dataset.test, dataset.are_photos_free) == ("train", "test", False)
    known = next(each for each in EVERY if each.name == COLOUR)
    assert dataset.every_entry == known.every_entry


@pytest.mark.parametrize("dataset", EVERY, ids=lambda dataset: dataset.name)
def test_a_point_of_a_curve_has_the_dimension_of_its_name(dataset):
    """`dense@256` is the network `dense` with a code of 256, of the same kind and number."""
    for entry in dataset.curve:
        family, _, dimension = entry.name.partition("@")
        assert entry.settings(dataset).dimension == int(dimension)
        of_table = dataset.every_entry[family]
        assert (entry.recipe, entry.number, entry.kind) == (of_table.recipe, of_table.number, of_table.kind)
        assert entry.settings(dataset).dimension != of_table.settings(dataset).dimension


@pytest.mark.parametrize("dataset", EVERY, ids=lambda dataset: dataset.name)
def test_pca_stands_beside_every_dimension_of_the_table(dataset):
    """Its dimensions are all different, and the first is the one of most entries."""
    dimensions = list(dataset.every_pca.values())
    assert len(set(dimensions)) == len(dimensions)
    settings = [entry.settings(dataset) for entry in dataset.entries]
    assert {each.dimension for each in settings} <= set(dimensions)
    assert [each.dimension for each in settings].count(dataset.dimension) > len(settings) / 2
    assert dataset.baselines == (*fixed_baselines(), *dataset.every_pca)
    assert set(dataset.every_entry).isdisjoint(dataset.baselines)


def test_what_can_have_any_dimension_has_the_same():
    """What differs between the grey entries is the kind of network, but for two of a dimension of their own."""
    [mnist] = plan(["mnist"], None)
    others = {entry.name: entry.settings(mnist).dimension for entry in mnist.entries}
    assert {name for name, dimension in others.items() if dimension != DIMENSION} == {
        "binary_crossentropy",
        "reverse_image_search",
    }


def test_the_default_recipe_is_the_one_that_train_takes():
    """Studied on photographs as it is, but for a code as long as that of the literature's network beside it."""
    [dataset] = plan([], ("a", "b"))
    assert DEFAULT_ENTRY in dataset.entries
    settings = DEFAULT_ENTRY.settings(dataset)
    default = recipes.load("convolutional")
    changed = {name for name, value in vars(settings).items() if value != getattr(default, name)}
    assert changed <= {"size", "dimension"}
    assert settings.dimension == COLOUR_DIMENSION == dataset.entries[0].settings(dataset).dimension
    assert DEFAULT_ENTRY.kind == "denoising"
    assert settings.corruption != "none"
    assert DEFAULT_ENTRY.number > SYSTEMS


def test_kinds_are_what_the_recipes_do():
    """A denoising entry learns from damaged photos, and no other does."""
    for dataset in EVERY:
        for entry in dataset.every_entry.values():
            assert (entry.settings(dataset).corruption != "none") == (entry.kind == "denoising"), entry.name
            assert ("variational" in entry.recipe) == (entry.kind == "variational"), entry.name
