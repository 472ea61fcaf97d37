"""The results of the study as its page reads them: by data set, in the order of the literature's list."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.study.plan import COLOUR
from evaluation.study.result import DESCRIPTION, EXAMPLES, Result, read_examples, read_result
from foundation.errors import InputNotFoundError

TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", COLOUR: "Colour"}
# What has room beside a picture.
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
        """The data set's name for people."""
        return TITLES.get(self.name, self.name)

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
    """Returns number and title for where there is little room: `5 conv + dense + transpose, max`."""
    words = result.title
    for pattern, short in ABBREVIATIONS:
        words = re.sub(pattern, short, words)
    return f"{result.number} {words}" if result.number else words


def read_studied(results_dir: Path) -> list[Studied]:
    """Reads `results_dir/<data set>/<entry>/result.json` and the examples beside them.

    Raises InputNotFoundError if there is no result, ArtifactRefusedError at one that is damaged.
    """
    found = [(path.parent, read_result(path.parent)) for path in sorted(results_dir.glob(f"*/*/{DESCRIPTION}"))]
    if not found:
        raise InputNotFoundError(
            f"{results_dir} holds no results; expected <data set>/<entry>/{DESCRIPTION}: run `firstseen study` first"
        )
    found.sort(key=lambda pair: _place(pair[1]))
    names = dict.fromkeys(result.dataset for _, result in found)
    return [_studied(name, [pair for pair in found if pair[1].dataset == name]) for name in names]


def _place(result: Result) -> tuple:
    known = list(TITLES)
    dataset = (known.index(result.dataset) if result.dataset in known else len(known), result.dataset)
    family, _, other = result.entry.partition("@")
    return (dataset, result.kind == "baseline", result.number, family, other != "", result.dimension, result.entry)


def _studied(name: str, found: list[tuple[Path, Result]]) -> Studied:
    examples = {result.entry: read_examples(path) for path, result in found if (path / EXAMPLES).exists()}
    return Studied(name, [result for _, result in found], examples)
