"""Recipes: found by file name, checked when made, changed by known names only."""

import pytest

from foundation.errors import UsageError
from training import recipe
from training.recipe import Recipe


def test_every_recipe_file_holds_a_recipe_with_its_command():
    """Each file of the folder loads, and its docstring says how to run it, how long it takes and how well it does."""
    assert "convolutional" in recipe.names()
    for name in recipe.names():
        assert isinstance(recipe.load(name), Recipe)
        module = __import__(f"training.recipes.{name}", fromlist=["RECIPE"])
        assert f"--recipe {name}" in module.__doc__
        assert "Expected time" in module.__doc__
        assert "Expected score" in module.__doc__


def test_unknown_recipe_lists_the_valid_names():
    """A misspelt recipe is answered with the names there are."""
    with pytest.raises(UsageError, match=r"no recipe 'convolutinal'; expected one of: .*convolutional"):
        recipe.load("convolutinal")


def test_override_changes_fields_and_options():
    """Fields of the recipe and options of its architecture are changed by the same call."""
    changed = recipe.load("convolutional").override(epochs=3, filters=8)
    assert (changed.epochs, changed.options["filters"]) == (3, 8)
    assert changed.options["halvings"] == recipe.load("convolutional").options["halvings"]


def test_unknown_override_lists_the_valid_ones():
    """A setting that neither recipe nor architecture has is refused, and the valid ones are named."""
    with pytest.raises(UsageError, match=r"no setting 'epoch'; expected one of: .*epochs.*filters"):
        recipe.load("convolutional").override(epoch=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 4}, "size is 4; expected 8 to 1,024"),
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 2.5}, "epochs is 2.5"),
        ({"batch_size": True}, "batch_size is True"),
        ({"channels": 2}, "channels is 2; expected one of: 1, 3"),
        ({"channels": 1.0}, "channels is 1.0; expected a whole number"),
        ({"channels": True}, "channels is True; expected a whole number"),
        ({"distance": "manhattan"}, "distance is 'manhattan'; expected one of: cosine, euclidean"),
        ({"loss": "huge"}, "loss is 'huge'"),
        ({"corruption": "wild"}, "corruption is 'wild'; expected one of: none, mild, noise"),
        ({"learning_rate": 0}, "learning_rate is 0; expected 1e-38 to"),
        ({"learning_rate": 10**400}, "learning_rate is 10{400}; expected a number"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; expected a number, such as 0.001"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"validation_share": 0.9}, "validation_share is 0.9"),
        ({"halvings": 0}, "halvings is 0; expected 1 to"),
        ({"filters": "abc"}, "filters is 'abc'; expected a whole number, such as 16"),
        ({"filters": 2.5}, "filters is 2.5; expected a whole number"),
        ({"spread": 1e300}, r"spread is 1e\+300; expected 0 to 65,536"),
        ({"spread": -1.0}, "spread is -1.0; expected 0 to"),
        ({"spread": True}, "spread is True; expected a number"),
    ],
)
def test_impossible_values_are_refused(change, message):
    """Every value is checked when the recipe is made, with what was received and what is expected."""
    with pytest.raises(UsageError, match=message):
        recipe.load("convolutional").override(**change)


def test_listing_recipes_imports_no_keras(run_python):
    """The command line lists recipes at start-up: that must stay cheap."""
    run_python(
        "import sys; from training import recipe; [recipe.load(name) for name in recipe.names()];"
        "assert not {'keras', 'tensorflow'} & set(sys.modules), 'heavy import'"
    )


def test_options_take_the_type_of_the_recipe():
    """On a command line one layer of 16 filters reads as a number, and a weight of 1 as a whole one."""
    assert recipe.load("convolution_dense_upsampling").override(filters=16).options["filters"] == "16"
    assert recipe.load("variational_convolutional").override(beta=2).options["beta"] == 2.0
    with pytest.raises(UsageError, match="fully_connected is 1; expected true or false, such as True"):
        recipe.load("convolution_dense_upsampling").override(fully_connected=1)


@pytest.mark.parametrize("name", ["size", "objective", "loss", "options"])
def test_an_option_cannot_take_the_name_of_a_setting(name):
    """One of the two would hide the other in what the encoder's description says of its training."""
    with pytest.raises(UsageError, match=f"option '{name}' has the name of a setting of every recipe"):
        Recipe(architecture="dense", size=8, options={name: 8})


def test_the_identity_of_a_recipe_does_not_name_the_usual_objective():
    """Trainings of before there was a choice are found by the settings they had; every other setting tells apart."""
    usual = recipe.load("convolutional")
    assert list(usual.identity())[:3] == ["architecture", "size", "channels"]
    assert usual.identity()["options"] == usual.options
    assert usual.identity() != usual.override(spread=0.5).identity()


def test_override_changes_options_of_the_objective():
    """They are told from those of the architecture by their names alone, and one name cannot be both."""
    contrastive = recipe.load("photo_v1")
    changed = contrastive.override(temperature=1, filters="8-16", repeats=2)
    assert changed.objective_options == {**contrastive.objective_options, "temperature": 1.0}
    assert changed.options == {"filters": "8-16", "repeats": "2"}
    assert changed.identity()["objective_options"] == changed.objective_options
    with pytest.raises(UsageError, match="option 'filters' is one of architecture and objective alike"):
        Recipe(architecture="residual", size=8, options={"filters": "4-8"}, objective_options={"filters": 1})


def test_a_backbone_takes_the_place_of_the_architecture():
    """Its own options replace those of the recipe's architecture; how it is trained stays."""
    changed = recipe.load("photo_v1").on_backbone("keras:MobileNetV2")
    assert (changed.architecture, changed.objective) == ("backbone", "contrastive")
    assert changed.options == {"model": "MobileNetV2", "weights": ""}
    for wrong in ("MobileNetV2", "torch:resnet", "keras:"):
        with pytest.raises(UsageError, match=f"backbone is '{wrong}'; expected keras:NAME"):
            changed.on_backbone(wrong)
