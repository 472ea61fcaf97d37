"""Reads when a photo was taken, what it shows and who made it from its EXIF, IPTC and XMP blocks.

The readers here are small on purpose: they take ten fields out of blocks that hold hundreds, in tens of
microseconds, and a broken block yields nothing instead of raising or warning. (Pillow's EXIF reader warns
through the process-wide warnings state, which is noise in a run over millions of photos.)

Order of trust: capture date EXIF, IPTC, XMP; caption IPTC, XMP, EXIF; credit IPTC, XMP, EXIF. A local time
without an offset is taken as UTC, so `captured_at` may be off by up to 14 hours.
"""

import functools
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from foundation.photos.dates import parse_date
from foundation.photos.exif_tags import Tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_TEXT_CHARACTERS = 4_000

# A packet with an editing history runs to megabytes; the fields wanted here take a few hundred bytes, and the
# XML reader needs about 1 ms per 10 KB.
MAX_XMP_BYTES = 256 * 1024


@dataclass(frozen=True)
class PhotoMetadata:
    """What a photo says of itself; `captured_at` is aware and in UTC."""

    captured_at: datetime | None = None
    caption: str | None = None
    credit: str | None = None


@dataclass(frozen=True)
class GivenMetadata:
    """What stands beside a photo about it: in a sidecar, or in the inventory that lists it; times are aware, in UTC."""

    published_at: datetime | None = None
    captured_at: datetime | None = None
    caption: str | None = None
    credit: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class MetadataBlocks:
    """The raw blocks of one file: `exif` a TIFF structure, `iptc` Photoshop resources or bare IPTC, `xmp` XML."""

    exif: bytes = b""
    iptc: bytes = b""
    xmp: bytes = b""

    @classmethod
    def of_tiff(cls, data: bytes) -> "MetadataBlocks":
        """Returns the blocks of a TIFF file, which is itself the structure that EXIF borrowed."""
        tags = read_exif(data)
        iptc, xmp = tags.get(_TIFF_IPTC), tags.get(_TIFF_XMP)
        return cls(data, iptc if isinstance(iptc, bytes) else b"", xmp if isinstance(xmp, bytes) else b"")


def read_metadata(blocks: MetadataBlocks) -> PhotoMetadata:
    """Returns what the blocks tell, None for what they do not; never raises."""
    exif, iptc = read_exif(blocks.exif), read_iptc(blocks.iptc)
    xmp = functools.cache(lambda: read_xmp(blocks.xmp))  # parsed only when EXIF and IPTC leave a field open
    return PhotoMetadata(
        captured_at=_first(parse_date, _dates(exif, iptc, xmp)),
        caption=_first(_clean_words, _captions(exif, iptc, xmp)),
        credit=_first(_clean_words, _credits(exif, iptc, xmp)),
    )


def read_xmp_sidecar(data: bytes) -> GivenMetadata:
    """Returns what an XMP sidecar, the file beside a photo, tells; nothing if it is broken or too long."""
    xmp = read_xmp(data)
    return GivenMetadata(
        published_at=parse_date(xmp.get("publicationDate", "")),
        captured_at=_first(parse_date, _xmp_dates(xmp)),
        caption=_first(_clean_words, iter([xmp.get("description")])),
        credit=_first(_clean_words, iter([xmp.get("Credit"), xmp.get("creator")])),
        source=_first(_clean_words, iter([xmp.get("Source")])),
    )


Exif = dict[int, "bytes | int"]
Iptc = dict[int, bytes]
Xmp = Callable[[], dict[str, str]]


def _first(clean: Callable, candidates: Iterator):
    return next(filter(None, map(clean, filter(None, candidates))), None)


def _dates(exif: Exif, iptc: Iptc, xmp: Xmp) -> Iterator[str]:
    for date, offset in _EXIF_DATES:
        yield _text(exif.get(date)) + _text(exif.get(offset))
    yield f"{_text(iptc.get(_IPTC_DATE))}T{_text(iptc.get(_IPTC_TIME))}".removesuffix("T")
    yield from _xmp_dates(xmp())


def _xmp_dates(xmp: dict[str, str]) -> Iterator[str]:
    return (xmp.get(name, "") for name in ("DateCreated", "DateTimeOriginal", "CreateDate"))


def _captions(exif: Exif, iptc: Iptc, xmp: Xmp) -> Iterator[str]:
    yield _text(iptc.get(_IPTC_CAPTION))
    yield xmp().get("description", "")
    yield _text(exif.get(Tag.ImageDescription))


def _credits(exif: Exif, iptc: Iptc, xmp: Xmp) -> Iterator[str]:
    yield _text(iptc.get(_IPTC_CREDIT))
    yield _text(iptc.get(_IPTC_BYLINE))
    yield xmp().get("Credit", "")
    yield xmp().get("creator", "")
    yield _text(exif.get(Tag.Artist))
    yield _text(exif.get(Tag.Copyright))


# --- text -------------------------------------------------------------------------------------------------------

# Control characters, and the bidirectional overrides that could reorder the text around a caption.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]+")

# What cameras and programs write when nobody wrote a caption or a name.
_BOILERPLATE = re.compile(
    r"(?:[\w ]*\bdigital (?:still )?camera|sony dsc|exif_jpeg_picture|\w* ?camera pictures?|digimax.*|"
    r"samsung|default|untitled|image|picture|photo|jpeg|dcim|dav|hdr\w*|cof|oznor\w*|"
    r"created with gimp|picasa[ \d.]*|unknown|none|copyright)",
    re.IGNORECASE,
)


def clean_text(text: str) -> str:
    """Returns the text on one line, without control characters, of at most `MAX_TEXT_CHARACTERS`."""
    return " ".join(_CONTROLS.sub(" ", text[: 2 * MAX_TEXT_CHARACTERS]).split())[:MAX_TEXT_CHARACTERS].rstrip()


def _clean_words(text: str) -> str:
    words = clean_text(text)
    return "" if _BOILERPLATE.fullmatch(words) else words


def _text(value: bytes | int | None) -> str:
    """Returns the text of a field: UTF-8, or else Latin-1, which is what old programs wrote."""
    if not isinstance(value, bytes):
        return ""
    value = value.strip(b"\0 \t\r\n")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


# --- EXIF (CIPA DC-008, a TIFF 6.0 structure) -----------------------------------------------------------------


_EXIF_DATES = (
    (Tag.DateTimeOriginal, Tag.OffsetTimeOriginal),
    (Tag.DateTimeDigitized, Tag.OffsetTimeDigitized),
    (Tag.DateTime, Tag.OffsetTime),  # the last change, which is the best left
)
_TIFF_XMP, _TIFF_IPTC = 700, 33723
_EXIF_WANTED = frozenset(
    {_TIFF_XMP, _TIFF_IPTC, Tag.Orientation, Tag.ExifOffset, Tag.ImageDescription, Tag.Artist, Tag.Copyright}
    | {tag for pair in _EXIF_DATES for tag in pair}
)
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 129: 1}  # byte, ASCII, short, long, undefined, UTF-8
_INTEGER_TYPES = {1: "B", 3: "H", 4: "I"}


def read_exif(block: bytes) -> Exif:
    """Returns the wanted tags of an EXIF block (or a TIFF file): single integers as int, the rest as bytes.

    A broken block yields the tags before the break.
    """
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    tags: Exif = {}
    if order:
        try:
            tags.update(_directory(block, order, struct.unpack_from(order + "I", block, 4)[0]))
            if isinstance(pointer := tags.get(Tag.ExifOffset), int):
                tags.update(_directory(block, order, pointer))
        except struct.error:
            pass  # the block ends early
    return tags


def orientation(block: bytes) -> int:
    """Returns the EXIF orientation, 1 to 8; 1 (upright) when the block has none or nonsense."""
    value = read_exif(block).get(Tag.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _directory(block: bytes, order: str, offset: int) -> Iterator[tuple[int, bytes | int]]:
    (count,) = struct.unpack_from(order + "H", block, offset)
    entry = struct.Struct(order + "HHI")
    for position in range(offset + 2, offset + 2 + 12 * count, 12):
        tag, kind, length = entry.unpack_from(block, position)
        if tag in _EXIF_WANTED and kind in _TYPE_BYTES:
            if length == 1 and kind in _INTEGER_TYPES:
                yield tag, struct.unpack_from(order + _INTEGER_TYPES[kind], block, position + 8)[0]
            else:
                yield tag, _value(block, order, position + 8, length * _TYPE_BYTES[kind])


def _value(block: bytes, order: str, position: int, length: int) -> bytes:
    if length > 4:  # a longer value lies elsewhere, and the entry holds its offset
        (position,) = struct.unpack_from(order + "I", block, position)
    return block[position : position + length]


# --- IPTC (IIM 4.2) inside Photoshop image resources ----------------------------------------------------------

_IPTC_DATE, _IPTC_TIME, _IPTC_BYLINE, _IPTC_CREDIT, _IPTC_CAPTION = 55, 60, 80, 110, 120


def read_iptc(block: bytes) -> Iptc:
    """Returns the datasets of record 2 (the first of each number) of Photoshop resources or of bare IPTC."""
    datasets: Iptc = {}
    for number, value in _datasets(_iptc_resource(block)):
        datasets.setdefault(number, value)
    return datasets


def _iptc_resource(block: bytes) -> bytes:
    position = block.find(b"8BIM\x04\x04")
    if not block.startswith(b"8BIM") or position < 0:
        return block
    name_bytes = block[position + 6] + 1 if position + 6 < len(block) else 1
    start = position + 6 + name_bytes + name_bytes % 2
    length = int.from_bytes(block[start : start + 4], "big")
    return block[start + 4 : start + 4 + length]


def _datasets(block: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while block[position : position + 1] == b"\x1c" and position + 5 <= len(block):
        record, number, length = struct.unpack_from(">BBH", block, position + 1)
        position += 5 + length
        if length & 0x8000:  # extended datasets hold pictures, never text
            return
        if record == 2:
            yield number, block[position - length : position]


# --- XMP (ISO 16684-1) ----------------------------------------------------------------------------------------

_NAMESPACES = {
    "{http://ns.adobe.com/photoshop/1.0/}": ("DateCreated", "Credit", "Source"),
    "{http://ns.adobe.com/exif/1.0/}": ("DateTimeOriginal",),
    "{http://ns.adobe.com/xap/1.0/}": ("CreateDate",),
    "{http://purl.org/dc/elements/1.1/}": ("description", "creator"),
    # PRISM is the only vocabulary of XMP that says when a photo was published.
    "{http://prismstandard.org/namespaces/basic/2.0/}": ("publicationDate",),
    "{http://prismstandard.org/namespaces/basic/2.1/}": ("publicationDate",),
    "{http://prismstandard.org/namespaces/basic/3.0/}": ("publicationDate",),
}
_XMP_FIELDS = {namespace + name: name for namespace, names in _NAMESPACES.items() for name in names}
_XMP_NAMES = re.compile("|".join(_XMP_FIELDS.values()).encode())


def read_xmp(block: bytes) -> dict[str, str]:
    """Returns the wanted XMP fields by their bare name; nothing when the XML is broken or declares entities."""
    if len(block) > MAX_XMP_BYTES or not _XMP_NAMES.search(block):
        return {}
    from defusedxml import ElementTree

    try:
        root = ElementTree.fromstring(block.strip(b"\0 \r\n\t"), forbid_dtd=True)
    except Exception:  # expat, the codec and defusedxml each raise their own; without XMP a photo is still one
        return {}
    fields: dict[str, str] = {}
    for element in root.iter():
        for name, text in (*element.attrib.items(), (element.tag, _xmp_text(element))):
            if name in _XMP_FIELDS and text:
                fields.setdefault(_XMP_FIELDS[name], text)
    return fields


def _xmp_text(element: "Element") -> str:
    """Returns the text of a simple property, or the first item of a list of authors or translations."""
    if element.tag not in _XMP_FIELDS:
        return ""
    return next((text for text in (part.strip() for part in element.itertext()) if text), "")
