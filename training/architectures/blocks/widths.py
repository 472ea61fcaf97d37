"""Reads options that name the widths of successive layers, such as `filters="16-32"`."""

from foundation.errors import UsageError
from training.recipe import MAX_COUNT

# Keras builds a model by recursion: Python allows a depth of some hundred layers.
MAX_WIDTHS = 16


def widths(option: str, text: str, *, at_least: int = 0) -> list[int]:
    """Returns the widths that the option names; none for an empty text.

    Raises UsageError on anything but whole numbers from 1 that are joined by hyphens, and on too few or too many.
    """
    parts = text.split("-") if text else []
    if not (at_least <= len(parts) <= MAX_WIDTHS and all(_is_width(part) for part in parts)):
        raise UsageError(
            f"{option} is {text!r}; expected {'at least one width: ' if at_least else ''}whole numbers from 1 to "
            f"{MAX_COUNT}, joined by hyphens, such as '16-32', {MAX_WIDTHS} at most"
        )
    return [int(part) for part in parts]


def _is_width(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MAX_COUNT)) and 1 <= int(text) <= MAX_COUNT
