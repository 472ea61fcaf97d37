"""Takes the place of `decode_content` in decoder processes of tests: some photos make it die, hang or fail."""

from collections.abc import Callable

import pytest

from foundation.photos import photo
from pipelines.encode.decode_content import DecodedContent, DecodeSettings, KnownContent, decode_content
from tests.foundation.photos.processes import misbehave

MARK = b"\nhostile: "


def divide_by_zero(*_: object) -> float:
    """A defect of our own."""
    return 1 / 0


def decode(read: Callable[[], bytes], settings: DecodeSettings) -> DecodedContent | KnownContent:
    """Decodes a photo as ever, unless bytes after its end say how its decoder is to misbehave."""
    how = read().partition(MARK)[2].decode()
    with pytest.MonkeyPatch.context() as patch:
        if how == "raise":
            patch.setattr(photo, "read_frame", divide_by_zero)
        misbehave(how, 0)
        return decode_content(read, settings)
