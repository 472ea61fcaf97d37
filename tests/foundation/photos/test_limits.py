"""`foundation.photos.limits`: what is refused before decoding, and that its messages name what a user can do."""

import re

import pytest
from PIL import Image

from foundation.errors import UsageError
from foundation.photos.limits import MOST_PIXELS, PhotoLimits
from foundation.photos.rejects import PhotoError


@pytest.mark.parametrize("option", ["max_bytes", "max_pixels", "max_jpeg_pixels", "max_aspect", "min_side"])
def test_limits_are_checked(option):
    """A limit of zero, or a pixel limit above Pillow's own guard, is refused with its range."""
    with pytest.raises(UsageError, match=rf"{option} is 0; expected 1 to [\d,]+"):
        PhotoLimits(**{option: 0})
    with pytest.raises(UsageError, match="max_pixels"):
        PhotoLimits(max_pixels=MOST_PIXELS + 1)


def test_pillows_guard_is_behind_ours():
    """Pillow refuses at twice its limit and warns above it; ours ends where its warnings begin."""
    assert Image.MAX_IMAGE_PIXELS == MOST_PIXELS
    assert PhotoLimits().max_pixels <= PhotoLimits().max_jpeg_pixels <= MOST_PIXELS


@pytest.mark.parametrize("size", [(0, 9), (20_000, 20_000), (6_000, 100), (7, 7)])
def test_messages_name_no_setting(size):
    """A remedy is something to do with the photo: no verb has a flag for these limits."""
    with pytest.raises(PhotoError, match=r"(shrink|crop|replace|use)\b") as caught:
        PhotoLimits().check_size(*size)
    assert not re.search(r"max_|min_|fetch", str(caught.value))
    for data in (b"", b"12"):
        with pytest.raises(PhotoError, match=r"; (replace|shrink)") as caught:
            PhotoLimits(max_bytes=1).check_bytes(data)
        assert not re.search(r"max_|min_|fetch", str(caught.value))
