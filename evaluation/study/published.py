"""Holds what the literature reported of the same kinds of networks, and finds where ours reaches it."""

from dataclasses import dataclass

from evaluation.study.measures import TEST_ERROR
from evaluation.study.result import Result
from evaluation.study.studied import Studied


@dataclass(frozen=True, kw_only=True)
class Published:
    """One reported reconstruction error (MSE of pixels in [0, 1]) of the entry of the list with that number."""

    number: int
    network: str
    dataset: str
    error: float
    split: str = "not stated"
    dimension: int | None = None
    source: str = "study of four autoencoders"


@dataclass(frozen=True)
class Reached:
    """Our side of a published number: the smallest code that meets it on test data, and the best at any size.

    `pca` is what PCA reaches at the dimension of the best.
    """

    published: Published
    smallest: Result | None
    best: Result
    pca: Result | None


_DENSE, _UPSAMPLING = "fully connected", "convolution + up-sampling"
_TRANSPOSE, _DENSE_UPSAMPLING = "convolution + transpose convolution", "convolution + fully connected + up-sampling"
_ELSEWHERE, _EARLIER = "reported elsewhere, data set not stated", "earlier report, data set not stated"


def _four(number: int, network: str, mnist: float, fashion: float, earlier: float) -> tuple[Published, ...]:
    """The study's two numbers, and the earlier one it cites, which is held against both data sets."""
    return (
        Published(number=number, network=network, dataset="mnist", error=mnist),
        Published(number=number, network=network, dataset="fashion_mnist", error=fashion),
        Published(number=number, network=network, dataset="mnist", error=earlier, source=_EARLIER),
        Published(number=number, network=network, dataset="fashion_mnist", error=earlier, source=_EARLIER),
    )


PUBLISHED = (
    *_four(1, _DENSE, 0.0013, 0.0034, 0.0214),
    *_four(2, _UPSAMPLING, 0.0032, 0.0073, 0.0407),
    *_four(3, _TRANSPOSE, 0.024, 0.014, 0.0297),
    Published(number=3, network=_TRANSPOSE, dataset="mnist", error=0.0091, source=_ELSEWHERE),
    Published(number=3, network=_TRANSPOSE, dataset="fashion_mnist", error=0.0091, source=_ELSEWHERE),
    *_four(4, _DENSE_UPSAMPLING, 0.0028, 0.0068, 0.0173),
    Published(
        number=11, network="colour autoencoder, 32×32 photos", dataset="colour", error=0.0020,
        split="validation", dimension=512, source="class project on image similarity",
    ),
)  # fmt: skip


def for_dataset(name: str) -> list[Published]:
    """Returns what was published on a data set, without the earlier reports, which name none."""
    return [each for each in PUBLISHED if each.dataset == name and each.source != _EARLIER]


def reach(studied: Studied, published: Published) -> Reached | None:
    """Returns where ours meets a published number, at whatever dimension; None if no such network was studied."""
    ours = [r for r in studied.results if r.number == published.number and TEST_ERROR.of(r) is not None]
    if published.dataset != studied.name or not ours:
        return None
    # By dimension, then by error: the first that meets the number is the smallest code that does.
    ours.sort(key=lambda result: (result.dimension, TEST_ERROR.of(result)))
    meeting = [result for result in ours if (TEST_ERROR.of(result) or 0.0) <= published.error]
    best = min(ours, key=lambda r: TEST_ERROR.of(r) or 0.0)
    pca = next((result for result in studied.curve("pca") if result.dimension == best.dimension), None)
    return Reached(published, meeting[0] if meeting else None, best, pca)


def reached(studies: list[Studied]) -> list[Reached]:
    """Returns our side of every published number that a studied network stands beside, in the literature's order."""
    every = [reach(studied, published) for studied in studies for published in PUBLISHED]
    return [each for each in every if each is not None]
