"""Reads the results of the study for its page: by data set, in the order of the literature's list."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.study.current import Found, read_current
from evaluation.study.plan import COLOUR, SYSTEMS, Dataset
from evaluation.study.result import DESCRIPTION, EXAMPLES, Result, read_examples
from foundation.errors import InputNotFoundError

# Photographs come first, since they are what news archives hold.
TITLES = {COLOUR: "Colour", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
# Shorter words, for labels that stand beside a picture.
ABBREVIATIONS = (
    (r"\bfully connected\b", "dense"),
    (r"\btranspose convolution\b", "transpose"),
    (r"\bconvolution\b", "conv"),
)

# The plain, the variational and the denoising network: one shape, each with the loss and the damage of its kind.
PLAIN = "convolution_dense_transpose"
VARIATIONAL = "variational_convolutional"
DENOISING = "denoising"

Examples = dict[str, np.ndarray]


@dataclass(frozen=True)
class Studied:
    """One data set: its results in the page's order, and the examples of those entries that kept some."""

    name: str
    results: list[Result]
    examples: dict[str, Examples]

    @property
    def title(self) -> str:
        """The data set's name for people, as an adjective: `Colour`."""
        return TITLES.get(self.name, self.name)

    @property
    def spoken(self) -> str:
        """The data set's name within a sentence."""
        return "photographs" if self.name == COLOUR else self.title

    @property
    def heading(self) -> str:
        """The data set's name above a section."""
        return self.spoken[0].upper() + self.spoken[1:]

    @property
    def main(self) -> list[Result]:
        """The entries of the tables: those that are no point of a curve over the dimension."""
        return [result for result in self.results if "@" not in result.entry]

    @property
    def encoders(self) -> list[Result]:
        """The trained entries of the tables."""
        return [result for result in self.main if result.kind != "baseline"]

    @property
    def baselines(self) -> list[Result]:
        """The entries of the tables that nobody trained."""
        return [result for result in self.main if result.kind == "baseline"]

    def find(self, entry: str) -> Result | None:
        """Returns the result of that entry, None if it was not studied."""
        return next((result for result in self.results if result.entry == entry), None)

    def curve(self, entry: str) -> list[Result]:
        """Returns the results of an entry at all its dimensions, smallest first, one for each dimension."""
        # The last of two results at one dimension stays in the dictionary: reversed, that is the tables' entry.
        found = {r.dimension: r for r in reversed(self.results) if r.entry.partition("@")[0] == entry}
        return [found[dimension] for dimension in sorted(found)]

    @property
    def shows_test_photos(self) -> bool:
        """Whether pictures show photos of the data set itself; where its terms forbid it, free photographs."""
        return self.name != COLOUR

    def class_name(self, label: int) -> str:
        """Returns the word for a class."""
        names = next((kept["class_names"] for kept in self.examples.values() if "class_names" in kept), ())
        return str(names[label]) if label < len(names) else str(label)

    def having(self, name: str) -> list[Result]:
        """Returns the trained entries of the tables that kept examples of that name."""
        return [result for result in self.encoders if name in self.examples.get(result.entry, {})]


def short_title(result: Result) -> str:
    """Returns number and title for where there is little room: `5 conv + dense + transpose`."""
    words = result.title
    for pattern, short in ABBREVIATIONS:
        words = re.sub(pattern, short, words)
    return f"{listed_number(result)} {words}".lstrip()


def listed_number(result: Result) -> str:
    """Returns the number in the literature's list; nothing for a baseline, and for an encoder of our own."""
    return str(result.number) if 1 <= result.number <= SYSTEMS else ""


def read_studied(results_dir: Path, datasets: Sequence[Dataset], *, tell: Callable[[str], None]) -> list[Studied]:
    """Reads `results_dir/<data set>/<entry>/result.json` of what the plan names, and the examples beside them.

    Calls `tell(line)` for each result that is left out, since the study would not find it so today.
    Raises InputNotFoundError if there is nothing to show, ArtifactRefusedError at a result that is damaged.
    """
    planned = {dataset.name: dataset for dataset in datasets}
    names = sorted({path.parent.parent.name for path in results_dir.glob(f"*/*/{DESCRIPTION}")}, key=_place_of_dataset)
    for name in names:
        if name not in planned:
            tell(f"left out of the page: {name}, no data set of the plan")
    found = {name: read_current(results_dir / name, planned[name], tell=tell) for name in names if name in planned}
    if not any(found.values()):
        raise InputNotFoundError(
            f"{results_dir} holds no results of the plan; expected <data set>/<entry>/{DESCRIPTION}: "
            "run `firstseen study` first"
        )
    return [_studied(name, pairs) for name, pairs in found.items() if pairs]


def _place_of_dataset(name: str) -> tuple[int, str]:
    known = list(TITLES)
    return (known.index(name) if name in known else len(known), name)


def _place(result: Result) -> tuple:
    family, _, other = result.entry.partition("@")
    return (result.kind == "baseline", result.number, family, other != "", result.dimension, result.entry)


def _studied(name: str, found: list[Found]) -> Studied:
    results = sorted((result for _, result in found), key=_place)
    examples = {result.entry: read_examples(folder) for folder, result in found if (folder / EXAMPLES).exists()}
    return Studied(name, results, examples)
