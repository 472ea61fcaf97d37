"""Names why a photo cannot be used: one error for each reason under which rejects are counted."""

from collections.abc import Iterator
from contextlib import contextmanager

from foundation.errors import FirstseenError


class PhotoError(FirstseenError):
    """A photo that cannot be used; `reason` is the word under which it is counted as a reject."""

    reason: str
    exit_code = 4


@contextmanager
def told_of(name: str) -> Iterator[None]:
    """Names the photo in a PhotoError, which knows its bytes alone; one that could not be read is named already."""
    try:
        yield
    except PhotoError as error:
        if name in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error


class EmptyPhotoError(PhotoError):
    """The file has no bytes."""

    reason = "empty_file"


class PhotoTooLargeError(PhotoError):
    """The file has more bytes than allowed."""

    reason = "too_large"


class NotAPhotoError(PhotoError):
    """The bytes begin like no image format: a web page, text, zeros, a film."""

    reason = "not_a_photo"


class UnsupportedFormatError(PhotoError):
    """An image, but of a format or a kind that is not decoded here."""

    reason = "unsupported_format"


class TooManyPixelsError(PhotoError):
    """The header declares more pixels than allowed: a decompression bomb, or a scan to be shrunk first."""

    reason = "too_many_pixels"


class ExtremeAspectError(PhotoError):
    """One side is so much longer than the other that a square of the whole frame would show next to nothing."""

    reason = "extreme_aspect"


class PhotoTooSmallError(PhotoError):
    """A side is zero, or too short to tell one photo from another."""

    reason = "too_small"


class TruncatedPhotoError(PhotoError):
    """The file ends early: a partial photo is a reject."""

    reason = "truncated"


class CorruptPhotoError(PhotoError):
    """The file is damaged: decoding fails, or would invent pixels."""

    reason = "corrupt"


class DecoderCrashedError(PhotoError):
    """The process that decoded it died, twice: of a fault in a decoder's code, or by a signal from outside."""

    reason = "decoder_crashed"


class DecoderTimeoutError(PhotoError):
    """Reading and decoding it took longer than a photo may take."""

    reason = "decoder_timeout"


class OutOfMemoryError(PhotoError):
    """Decoding it took more memory than a decoder process has, twice."""

    reason = "out_of_memory"


class RetractedPhotoError(PhotoError):
    """The photo was withdrawn: it must neither be found nor kept, under whatever name."""

    reason = "retracted"


REASONS = tuple(
    error.reason
    for error in (
        EmptyPhotoError,
        PhotoTooLargeError,
        NotAPhotoError,
        UnsupportedFormatError,
        TooManyPixelsError,
        ExtremeAspectError,
        PhotoTooSmallError,
        TruncatedPhotoError,
        CorruptPhotoError,
        DecoderCrashedError,
        DecoderTimeoutError,
        OutOfMemoryError,
        RetractedPhotoError,
    )
)


def truncated(received: str, expected: str) -> TruncatedPhotoError:
    """Returns the error for a file that ends early."""
    return TruncatedPhotoError(f"received {received}, expected {expected}; replace it with a whole copy")


def corrupt(received: str) -> CorruptPhotoError:
    """Returns the error for a damaged file."""
    return CorruptPhotoError(f"received damaged {received}, expected a sound file; replace it with a sound copy")
