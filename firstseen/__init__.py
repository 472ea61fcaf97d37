"""Tells whether a photo has been seen before, when first, and what was done to it since.

with firstseen.Searcher.open("STORE") as searcher:  # or the URL of `firstseen serve`
    for answers in searcher.lookup(["photo.jpg"]):
        print(answers[0].photo_id, answers[0].first_seen_at)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.any_searcher import AnySearcher as Searcher

__all__ = ["Searcher", "__version__"]


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for: the command line must not wait for TensorFlow."""
    if name == "Searcher":
        from serving.any_searcher import AnySearcher

        return AnySearcher
    if name == "__version__":
        from importlib.metadata import version

        return version("firstseen")
    raise AttributeError(f"module 'firstseen' has no attribute {name!r}; it has {', '.join(__all__)}")
