"""Makes the stores of two nights known to the tests of this folder."""

from tests.pipelines.two_nights import nights, two_nights

__all__ = ["nights", "two_nights"]
