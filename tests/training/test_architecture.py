"""What a recipe names is built, and what cannot be built is refused."""

import pytest

from foundation.errors import UsageError
from training.architecture import build, names
from training.recipe import Recipe


def test_unknown_architecture_lists_the_valid_ones():
    """An architecture is a file of its folder; another name is refused."""
    assert "convolutional" in names()
    assert "blocks" not in names()
    with pytest.raises(UsageError, match=r"no architecture 'telepathic'; expected one of: .*convolutional"):
        build(Recipe(architecture="telepathic", size=16))


def test_unknown_option_lists_the_valid_ones():
    """An option that the architecture does not take is refused before anything is built."""
    with pytest.raises(UsageError, match="no option 'gears'; expected one of: filters, halvings, spread"):
        build(Recipe(architecture="convolutional", size=16, options={"gears": 5}))


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("convolutional", {"halvings": "three"}, "halvings is 'three'; expected a whole number, such as 3"),
        ("convolutional", {"filters": True}, "filters is True; expected a whole number"),
        ("variational", {"beta": "much"}, "beta is 'much'; expected a number, such as 1.0"),
        ("pooling", {"fully_connected": 1}, "fully_connected is 1; expected true or false"),
    ],
)
def test_options_of_another_type_are_refused(architecture, options, message):
    """A recipe that somebody wrote ends in one line too, not inside Keras."""
    with pytest.raises(UsageError, match=message):
        build(Recipe(architecture=architecture, size=16, options=options))


def test_one_width_may_be_written_as_a_number():
    """A recipe with one layer of eight filters means what the command line means by `--set filters=8`."""
    model = build(Recipe(architecture="variational", size=16, dimension=4, options={"filters": 8}))
    assert {layer.filters for layer in model.encoder.layers if hasattr(layer, "filters")} == {8}
