"""Says in words why a photo could not be used, and what to do, by the word with which its reason begins."""

from typing import NamedTuple

# What is wrong with the file or the photo, and what somebody can do who has it at hand.
_WORDS = {
    "empty_file": ("This file is empty", "Save or download the photo again."),
    "too_large": ("This file is too large", "Save a smaller copy of the photo, such as a JPEG."),
    "not_a_photo": (
        "This file is no photo that can be read",
        "Save the picture itself: what a failed download leaves is often a web page under the name of a photo.",
    ),
    "unsupported_format": ("This kind of picture is not read here", "Save the photo as JPEG or PNG."),
    "too_many_pixels": ("This photo has too many pixels", "Save a smaller copy of it."),
    "extreme_aspect": ("This photo is far longer than it is wide", "Cut out the part that matters."),
    "too_small": ("This photo is too small to tell it from others", "Look for a larger copy of it."),
    "truncated": ("This file ends too early: a part of the photo is missing", "Save or download the photo again."),
    "corrupt": ("This file is damaged", "Save or download the photo again, or look for another copy."),
    "decoder_crashed": ("This file could not be read", "Save the photo anew, such as a JPEG, and try again."),
    "decoder_timeout": ("It took too long to read this file", "Save the photo anew, such as a JPEG, and try again."),
    "out_of_memory": ("It took too much memory to read this file", "Save a smaller copy of the photo."),
    "unreadable": ("This file cannot be opened", "Look whether it is still there, and may be read."),
    "blank": ("This photo is one flat colour: there is nothing to know it by", "Look for one that shows more."),
    "too simple": ("This photo shows hardly anything that tells it from others", "Look for one that shows more."),
    "retracted": ("This photo was withdrawn", "It is kept out on purpose; nothing needs to be done."),
}


class RejectWords(NamedTuple):
    """What is wrong with a file, what to do, and what exactly was met, for those who look into it; "" for neither."""

    said: str
    remedy: str
    detail: str


def words_of(reason: str) -> RejectWords:
    """Returns the words for a reason, such as `not_a_photo: received …`; one without words is said as it is."""
    word, _, detail = reason.partition(":")
    if word not in _WORDS:
        return RejectWords(reason.replace("_", " "), "", "")
    return RejectWords(*_WORDS[word], detail.strip())
