"""Reads the segments of a JPEG before its first scan: the frame, the metadata blocks, the tables that decode it."""

import struct
from dataclasses import dataclass

from foundation.photos.header import unsupported
from foundation.photos.metadata import MetadataBlocks
from foundation.photos.rejects import TruncatedPhotoError, corrupt, truncated

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN_SEQUENTIAL = frozenset((0xC0, 0xC1))
_DECODED_FRAMES = _HUFFMAN_SEQUENTIAL | {0xC2, 0xC9, 0xCA}  # not the lossless nor the hierarchical ones
_END_OF_IMAGE, _START_OF_SCAN, _APP0, _APP1, _APP13, _APP14 = 0xD9, 0xDA, 0xE0, 0xE1, 0xED, 0xEE
_FRAME = struct.Struct(">BHHB")  # bits, height, width, components
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"

# A progressive scan over 80 megapixels fits in 100 bytes and costs 10 ms: without a limit, one file of some
# megabytes decodes for hours. Real encoders write about ten.
_MAX_SCANS = 500


@dataclass(frozen=True)
class Component:
    """One colour component of a frame: its identifier, blocks across and down in a unit, and quantization table."""

    identifier: int
    across: int
    down: int
    quantization: int

    @property
    def blocks(self) -> int:
        """How many 8x8 blocks of the component lie in one unit (MCU)."""
        return self.across * self.down


@dataclass(frozen=True)
class JpegHeader:
    """The segments (marker, payload) up to the first scan, that scan's offset, and the frame as declared."""

    segments: list[tuple[int, bytes]]
    scan: int
    frame: int
    width: int
    height: int
    components: list[Component]

    @property
    def is_baseline(self) -> bool:
        """Whether the frame is coded in one pass with Huffman codes: neither progressive nor arithmetic."""
        return self.frame in _HUFFMAN_SEQUENTIAL

    @property
    def units(self) -> int:
        """How many units (MCUs) make the frame when all components are coded together."""
        several = len(self.components) > 1
        across = 8 * max(component.across for component in self.components) if several else 8
        down = 8 * max(component.down for component in self.components) if several else 8
        return -(-self.width // across) * -(-self.height // down)

    def metadata_blocks(self) -> MetadataBlocks:
        """Returns the first EXIF and XMP segments, and all Photoshop ones, which are split at 64 KB."""
        exif, xmp = self._payloads(_APP1, _EXIF), self._payloads(_APP1, _XMP)
        iptc = b"".join(self._payloads(_APP13, _PHOTOSHOP))
        return MetadataBlocks(exif[0] if exif else b"", iptc, xmp[0] if xmp else b"")

    def without_junk(self, data: bytes) -> bytes:
        """Returns the image of `data` with only what decodes it: tables, frame, JFIF and Adobe's colour mark.

        Gone are junk between segments, broken ICC and EXIF blocks, comments: cameras and editors write all of
        them, viewers show the photo, and a strict decoder stumbles.
        """
        kept = [b"\xff\xd8"]
        for marker, payload in self.segments:
            if marker <= _APP0 or marker == _APP14:
                kept += [bytes((0xFF, marker)), struct.pack(">H", len(payload) + 2), payload]
        return b"".join((*kept, data[self.scan :]))

    def _payloads(self, wanted: int, prefix: bytes) -> list[bytes]:
        return [
            payload[len(prefix) :]
            for marker, payload in self.segments
            if marker == wanted and payload.startswith(prefix)
        ]


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Returns the header of a JPEG that can be decoded.

    Raises UnsupportedFormatError for 12 bits, lossless and hierarchical frames; TruncatedPhotoError when the file
    ends in its header; CorruptPhotoError for the rest.
    """
    segments: list[tuple[int, bytes]] = []
    frame, frame_header = 0, b""
    marker, position = _next_marker(data, 2)
    while marker != _START_OF_SCAN:
        payload = _payload(data, position)
        segments.append((marker, payload))
        if marker in _START_OF_FRAME:
            frame, frame_header = marker, payload
            _check_frame(marker, payload)
        marker, position = _next_marker(data, position + 2 + len(payload))
    if not frame:
        raise corrupt("JPEG (a scan without a frame)")
    if frame not in _HUFFMAN_SEQUENTIAL and data.count(b"\xff\xda", position) >= _MAX_SCANS:
        raise corrupt(f"JPEG (more than {_MAX_SCANS} scans)")
    _, height, width, _ = _FRAME.unpack_from(frame_header)
    return JpegHeader(segments, position - 2, frame, width, height, _components(frame_header))


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """Returns the next marker that has a payload, and the payload's offset; junk and padding are skipped."""
    if position >= len(data):
        raise _cut(data)
    while 0 <= (position := data.find(b"\xff", position)) < len(data) - 1:
        marker = data[position + 1]
        if marker == _END_OF_IMAGE:
            break
        if marker >= 0xC0 and marker != 0xFF and not 0xD0 <= marker <= 0xD8:
            return marker, position + 2
        position += 1 if marker == 0xFF else 2
    if position == len(data) - 1:
        raise _cut(data)
    raise corrupt("JPEG (a header without an image)")


def _payload(data: bytes, position: int) -> bytes:
    length = int.from_bytes(data[position : position + 2], "big")
    if position + max(length, 2) > len(data):
        raise _cut(data)
    if length < 2:
        raise corrupt("JPEG (a segment of negative length)")
    return data[position + 2 : position + length]


def _check_frame(marker: int, payload: bytes) -> None:
    if len(payload) < _FRAME.size:
        raise corrupt("JPEG (a frame header too short)")
    bits, _, _, components = _FRAME.unpack_from(payload)
    if bits != 8 or marker not in _DECODED_FRAMES or components not in (1, 3, 4):
        raise unsupported(f"a JPEG of {bits} bits, {components} components, frame {marker:#x}")


def _components(payload: bytes) -> list[Component]:
    described = payload[_FRAME.size : _FRAME.size + 3 * payload[_FRAME.size - 1]]
    triples = zip(described[0::3], described[1::3], described[2::3], strict=False)
    return [Component(identifier, sampling >> 4, sampling % 16, table) for identifier, sampling, table in triples]


def _cut(data: bytes) -> TruncatedPhotoError:
    return truncated(f"{len(data)} bytes of JPEG that end in the header", "a whole file")
