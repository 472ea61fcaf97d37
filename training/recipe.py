"""Says how one encoder is trained: a recipe is a small Python file below `training/recipes`."""

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import ModuleType
from typing import Any, Literal

from foundation.checks import require_choice, require_range
from foundation.errors import UsageError
from training import objectives, recipes
from training.choices import CORRUPTIONS, DISTANCES, LOSSES, SCHEDULES, Scalar

# The bound of every option that is a number: layers wider than this fit no memory, and a loss that weighs more than
# this overflows half precision.
MAX_COUNT = 65_536


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an encoder is trained; `objective` is what is fitted.

    `options` go to the architecture, `objective_options` to the objective.

    `corruption` trains on damaged photos towards the clean ones. `patience` is the number of epochs without a better
    validation loss after which training stops (0: never); the weights of the best epoch are kept in any case.
    """

    architecture: str
    size: int
    objective: str = "reconstruction"
    channels: int = 3
    dimension: int = 256
    distance: Literal["cosine", "euclidean"] = "cosine"
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    loss: str = "mean_squared_error"
    corruption: str = "none"
    patience: int = 0
    validation_share: float = 0.1
    options: Mapping[str, Scalar] = field(default_factory=dict)
    objective_options: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self):
        """Checks every value; raises UsageError saying what was received and what is expected."""
        for name, choices in _CHOICES.items():
            like(choices[0], name, getattr(self, name))
            require_choice(name, getattr(self, name), choices)
        require_choice("objective", self.objective, objective_names())
        for name, (example, lowest, highest) in _RANGES.items():
            like(example, name, getattr(self, name))
            require_range(name, getattr(self, name), lowest, highest)
        for name in set(self.options) & set(self.objective_options):
            raise UsageError(f"option {name!r} is one of architecture and objective alike; expected another name")
        for name, value in (*self.options.items(), *self.objective_options.items()):
            # What was trained is recorded by these names: of two alike, one would hide the other.
            if name in _FIELDS:
                raise UsageError(f"option {name!r} has the name of a setting of every recipe; expected another name")
            if isinstance(value, int | float) and not isinstance(value, bool):
                require_range(name, value, 1 if isinstance(value, int) else 0, MAX_COUNT)

    @property
    def all_options(self) -> dict[str, Scalar]:
        """The options of architecture and objective, by their names, which are never the same."""
        return {**self.options, **self.objective_options}

    def override(self, **changes: Scalar) -> "Recipe":
        """Returns the recipe with some fields or options changed; raises UsageError on an unknown one, listing all."""
        own = _FIELDS - set(OPTIONS)
        valid = sorted(own | set(self.all_options))
        for name in changes:
            if name not in valid:
                raise UsageError(f"the recipe has no setting {name!r}; expected one of: {', '.join(valid)}")
        changed: dict[str, Any] = {name: value for name, value in changes.items() if name in own}
        for kind in OPTIONS:
            changed[kind] = {
                name: like(value, name, changes[name]) if name in changes else value
                for name, value in getattr(self, kind).items()
            }
        return replace(self, **changed)

    def on_backbone(self, backbone: str) -> "Recipe":
        """Returns the recipe with a model of `keras.applications` as architecture; raises UsageError if it names none.

        The options of the recipe's own architecture are left out; the backbone's are the file of its weights.
        """
        library, _, model = backbone.partition(":")
        if library != "keras" or not model:
            raise UsageError(f"backbone is {backbone!r}; expected keras:NAME, such as keras:MobileNetV2")
        return replace(self, architecture="backbone", options={"model": model, "weights": ""})

    def identity(self) -> dict[str, Any]:
        """Returns the settings by which a finished or interrupted training is found again.

        Without the usual objective: what was trained before there was a choice of them is found too.
        """
        settings = asdict(self)
        if self.objective == Recipe.objective:
            del settings["objective"], settings["objective_options"]
        return settings


_FIELDS = {item.name for item in fields(Recipe)}
# What holds options; beside them stand the settings that every recipe has.
OPTIONS = ("options", "objective_options")
# Each with an example, whose type is that of the setting.
_RANGES: dict[str, tuple[int | float, float, float]] = {
    "size": (64, 8, 1024),
    "dimension": (256, 1, 65_536),
    "epochs": (20, 1, 100_000),
    "batch_size": (32, 1, 65_536),
    "patience": (0, 0, 100_000),
    # Training computes in single precision: below this a number is 0 to it, above it infinite.
    "learning_rate": (0.001, 1e-38, 1e38),
    "validation_share": (0.1, 1e-6, 0.5),
}
_CHOICES: dict[str, tuple[Scalar, ...]] = {
    "channels": (1, 3),
    "distance": DISTANCES,
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "corruption": CORRUPTIONS,
}


def names() -> list[str]:
    """Returns the names of the recipes there are: the files of `training/recipes`, sorted."""
    return _files_of(recipes)


def objective_names() -> list[str]:
    """Returns the names of the objectives there are: the files of `training/objectives`, sorted."""
    return _files_of(objectives)


def load(name: str) -> Recipe:
    """Returns the recipe of that name; raises UsageError listing the valid names if there is none."""
    if name not in names():
        raise UsageError(f"no recipe {name!r}; expected one of: {', '.join(names())}")
    return importlib.import_module(f"{recipes.__name__}.{name}").RECIPE


def like(example: Scalar, name: str, value: Scalar) -> Any:
    """Returns the value as the type of the example; raises UsageError if it is of another."""
    if isinstance(example, str):
        return str(value)  # `filters=16` on a command line reads as a number
    kind = type(example)
    # Python's whole numbers have no limit, and one beyond the largest float cannot be converted.
    if type(value) is kind or (kind is float and type(value) is int and abs(value) < sys.float_info.max):
        return kind(value)
    raise UsageError(f"{name} is {value!r}; expected {_KINDS[kind]}, such as {example!r}")


_KINDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false"}


def _files_of(package: ModuleType) -> list[str]:
    # Listed without importing them: the command line names the recipes before anybody needs Keras.
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))
