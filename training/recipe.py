"""A recipe is a small Python file below `training/recipes` that says how one encoder is trained."""

import importlib
import math
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from foundation.errors import UsageError
from training import recipes

Scalar = int | float | str | bool

DISTANCES = ("cosine", "euclidean")
LOSSES = ("mean_squared_error", "mean_absolute_error", "binary_crossentropy")
SCHEDULES = ("cosine", "constant", "exponential", "step")
# Of filters, units, repeats: more fits no memory.
MAX_COUNT = 65_536
CORRUPTIONS = ("none", "mild", "noise", "masks", "blur", "mixed")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an encoder is trained; `options` go to the architecture as they are.

    `corruption` trains on damaged photos towards the clean ones. `patience` is the number of epochs without a better
    validation loss after which training stops (0: never); the weights of the best epoch are kept in any case.
    """

    architecture: str
    size: int
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

    def __post_init__(self):
        """Checks every value; raises UsageError saying what was received and what is expected."""
        for name, lowest, highest in _WHOLE_NUMBERS:
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= highest:
                raise UsageError(f"{name} is {value!r}; expected a whole number from {lowest} to {highest}")
        for name, choices in _CHOICES:
            if getattr(self, name) not in choices:
                expected = ", ".join(map(repr, choices))
                raise UsageError(f"{name} is {getattr(self, name)!r}; expected one of: {expected}")
        if not (_is_number(self.learning_rate) and 0 < self.learning_rate < math.inf):
            raise UsageError(f"learning_rate is {self.learning_rate!r}; expected a number above 0, such as 0.001")
        if not (_is_number(self.validation_share) and 0 < self.validation_share <= 0.5):
            raise UsageError(f"validation_share is {self.validation_share!r}; expected a share above 0 and up to 0.5")
        for name, value in self.options.items():
            _require_in_range(name, value)

    def override(self, **changes: Scalar) -> "Recipe":
        """Returns the recipe with some fields or options changed; raises UsageError on an unknown one, listing all."""
        own = {item.name for item in fields(self)} - {"options"}
        valid = sorted(own | set(self.options))
        for name in changes:
            if name not in valid:
                raise UsageError(f"the recipe has no setting {name!r}; expected one of: {', '.join(valid)}")
        options = {
            name: _like(value, name, changes[name]) if name in changes else value
            for name, value in self.options.items()
        }
        changed: dict[str, Any] = {name: value for name, value in changes.items() if name in own}
        return replace(self, **changed, options=options)


_WHOLE_NUMBERS = (
    ("size", 8, 1024),
    ("dimension", 1, 65_536),
    ("epochs", 1, 100_000),
    ("batch_size", 1, 65_536),
    ("patience", 0, 100_000),
)
_CHOICES = (
    ("channels", (1, 3)),
    ("distance", DISTANCES),
    ("schedule", SCHEDULES),
    ("loss", LOSSES),
    ("corruption", CORRUPTIONS),
)


def names() -> list[str]:
    """Returns the names of the recipes there are: the files of `training/recipes`, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(recipes.__path__))


def load(name: str) -> Recipe:
    """Returns the recipe of that name; raises UsageError listing the valid names if there is none."""
    if name not in names():
        raise UsageError(f"no recipe {name!r}; expected one of: {', '.join(names())}")
    return importlib.import_module(f"{recipes.__name__}.{name}").RECIPE


def _like(default: Scalar, name: str, value: Scalar) -> Scalar:
    """Returns the value as the type of the recipe's own; raises UsageError if it is of another."""
    if isinstance(default, str):
        return str(value)  # `filters=16` on a command line reads as a number
    kind = type(default)
    if type(value) is kind or (kind is float and _is_number(value)):
        return kind(value)
    raise UsageError(f"{name} is {value!r}; expected {_KINDS[kind]}, such as {default!r}")


def _require_in_range(name: str, value: Scalar) -> None:
    """Raises UsageError on an option that no architecture can take: counts begin at 1, weights and shares at 0."""
    if type(value) is int and not 1 <= value <= MAX_COUNT:
        raise UsageError(f"{name} is {value}; expected a whole number from 1 to {MAX_COUNT}")
    if type(value) is float and not 0 <= value < math.inf:
        raise UsageError(f"{name} is {value}; expected a number from 0")


_KINDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
