"""`foundation.photos.metadata`: dates, captions and credits of EXIF, IPTC and XMP; broken blocks say nothing."""

import struct
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base as Tag
from PIL.PngImagePlugin import PngInfo

from foundation.photos import exif_tags
from foundation.photos.metadata import (
    MAX_TEXT_CHARACTERS,
    MetadataBlocks,
    PhotoMetadata,
    clean_text,
    orientation,
    read_exif,
    read_iptc,
    read_metadata,
    read_xmp,
)
from foundation.photos.photo import decode
from tests.foundation.photos.test_photo import encoded
from tests.photos import scene

NOON = datetime(2019, 5, 4, 12, 0, 1, tzinfo=timezone.utc)


def exif_block(**tags: str | int) -> bytes:
    """Returns an EXIF block with these tags, dates of the camera in its sub-directory."""
    exif = Image.Exif()
    camera = {"DateTimeOriginal", "DateTimeDigitized", "OffsetTimeOriginal", "OffsetTimeDigitized", "OffsetTime"}
    for name, value in tags.items():
        (exif.get_ifd(Tag.ExifOffset) if name in camera else exif)[Tag[name]] = value
    return exif.tobytes()


def iptc_block(datasets: dict[int, str], *, encoding: str = "utf-8") -> bytes:
    """Returns Photoshop resources as a JPEG's APP13 holds them, with these datasets of record 2."""
    body = b"\x1c\x01\x5a\0\3\x1b%G"
    for number, text in datasets.items():
        body += struct.pack(">BBBH", 0x1C, 2, number, len(text.encode(encoding))) + text.encode(encoding)
    resolution = b"8BIM\x03\xed\0\0" + struct.pack(">I", 16) + bytes(16)
    return resolution + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(body)) + body + b"\0" * (len(body) % 2)


def xmp_block(properties: str = "", attributes: str = "") -> bytes:
    """Returns an XMP packet with these properties."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
          xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" {attributes}>
        {properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


DESCRIPTION = (
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">A flood in Győr</rdf:li></rdf:Alt></dc:description>'
)
CREATOR = "<dc:creator><rdf:Seq><rdf:li>Ann Lee</rdf:li><rdf:li>Bo</rdf:li></rdf:Seq></dc:creator>"


# --- dates ----------------------------------------------------------------------------------------------------


def test_exif_dates_in_order_of_trust():
    """The moment of capture comes before digitisation, and that before the last change; each has its own offset."""
    tags = {"DateTime": "2021:01:01 00:00:00", "DateTimeDigitized": "2020:01:01 00:00:00"}
    capture = {"DateTimeOriginal": "2019:05:04 14:00:01", "OffsetTimeOriginal": "+02:00"}
    assert read_metadata(MetadataBlocks(exif=exif_block(**tags, **capture))).captured_at == NOON
    assert read_metadata(MetadataBlocks(exif=exif_block(**tags))).captured_at.year == 2020
    blank = {"DateTimeOriginal": "0000:00:00 00:00:00"}
    assert read_metadata(MetadataBlocks(exif=exif_block(**tags, **blank))).captured_at.year == 2020
    assert read_metadata(MetadataBlocks(exif=exif_block(DateTime=tags["DateTime"]))).captured_at.year == 2021


def test_dates_fall_back_from_exif_to_iptc_to_xmp():
    """IPTC's split date and time count when EXIF has none, and XMP's when IPTC has none either."""
    iptc, xmp = iptc_block({55: "20190504", 60: "140001+0200"}), xmp_block(attributes='xmp:CreateDate="2017-01-01"')
    assert read_metadata(MetadataBlocks(exif_block(DateTime="2021:01:01 00:00:00"), iptc, xmp)).captured_at.year == 2021
    assert read_metadata(MetadataBlocks(b"", iptc, xmp)).captured_at == NOON
    assert read_metadata(MetadataBlocks(xmp=xmp)).captured_at.year == 2017
    assert read_metadata(MetadataBlocks(iptc=iptc_block({55: "20190504"}))).captured_at.hour == 0


# --- captions and credits -------------------------------------------------------------------------------------


def test_captions_in_order_of_trust():
    """IPTC's caption comes before XMP's description, and that before EXIF's."""
    exif, iptc, xmp = exif_block(ImageDescription="From EXIF"), iptc_block({120: "From IPTC"}), xmp_block(DESCRIPTION)
    assert read_metadata(MetadataBlocks(exif, iptc, xmp)).caption == "From IPTC"
    assert read_metadata(MetadataBlocks(exif, b"", xmp)).caption == "A flood in Győr"
    assert read_metadata(MetadataBlocks(exif)).caption == "From EXIF"


def test_credits_in_order_of_trust():
    """IPTC credit, IPTC byline, XMP credit, XMP creator, EXIF artist, EXIF copyright."""
    exif = exif_block(Artist="Artist", Copyright="Rights")
    xmp = xmp_block(CREATOR, 'photoshop:Credit="Agency X"')
    assert read_metadata(MetadataBlocks(exif, iptc_block({80: "Byline", 110: "Credit"}), xmp)).credit == "Credit"
    assert read_metadata(MetadataBlocks(exif, iptc_block({80: "Byline"}), xmp)).credit == "Byline"
    assert read_metadata(MetadataBlocks(exif, b"", xmp)).credit == "Agency X"
    assert read_metadata(MetadataBlocks(exif, b"", xmp_block(CREATOR))).credit == "Ann Lee"
    assert read_metadata(MetadataBlocks(exif)).credit == "Artist"
    assert read_metadata(MetadataBlocks(exif_block(Copyright="Rights"))).credit == "Rights"


@pytest.mark.parametrize("text", ["OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "Digital Camera", "Untitled", " \0 "])
def test_what_cameras_write_is_no_caption(text):
    """Boilerplate and blanks are no caption, and do not hide a real one of another block."""
    assert read_metadata(MetadataBlocks(exif=exif_block(ImageDescription=text))).caption is None
    both = MetadataBlocks(exif_block(ImageDescription="A flood"), iptc_block({120: text}))
    assert read_metadata(both).caption == "A flood"


@pytest.mark.parametrize("text", ["A digital camera on a table", "Image of the day", "The samsung building"])
def test_captions_that_begin_like_boilerplate_stay(text):
    """Only a whole caption is boilerplate, never a part of one."""
    assert read_metadata(MetadataBlocks(exif=exif_block(ImageDescription=text))).caption == text


def test_text_is_one_clean_line():
    """Control characters, line breaks and text-reordering marks become spaces, and the length is capped."""
    assert clean_text("a\0b\r\n\tc\u202ed \x9be") == "a b c d e"
    assert len(clean_text("word " * 100_000)) <= MAX_TEXT_CHARACTERS


def test_old_programs_wrote_latin_1():
    """Text that is not UTF-8 is read as Latin-1."""
    assert read_metadata(MetadataBlocks(iptc=iptc_block({120: "Café"}, encoding="latin-1"))).caption == "Café"
    assert read_metadata(MetadataBlocks(iptc=iptc_block({120: "Café 新聞"}))).caption == "Café 新聞"


# --- in files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_and_xmp_are_found_in_every_format(photo_format):
    """Date and credit from EXIF, caption from XMP, whatever file carries them."""
    image = Image.fromarray(scene(1))
    options = {"exif": exif_block(DateTime="2019:05:04 12:00:01", Artist="Ann Lee")}
    if photo_format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp_block(DESCRIPTION).decode())
    elif photo_format == "TIFF":
        exif = Image.Exif()
        exif.load(options["exif"])
        exif[700] = xmp_block(DESCRIPTION)
        options["exif"] = exif
    else:
        options["xmp"] = xmp_block(DESCRIPTION)
    assert decode(encoded(image, photo_format, **options)).metadata == PhotoMetadata(NOON, "A flood in Győr", "Ann Lee")


def test_iptc_split_over_two_jpeg_segments_is_joined():
    """Photoshop splits its resources at 64 KB; a JPEG's APP13 segments are read as one."""
    block = iptc_block({80: "Ann Lee", 120: "A flood in Győr"})
    segments = b""
    for part in (block[:70], block[70:]):
        payload = b"Photoshop 3.0\0" + part
        segments += b"\xff\xed" + struct.pack(">H", len(payload) + 2) + payload
    data = encoded(scene(2), "JPEG")
    assert decode(data[:2] + segments + data[2:]).metadata == PhotoMetadata(None, "A flood in Győr", "Ann Lee")


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(order):
    """Little- and big-endian EXIF give the same tags."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    block = head + struct.pack(order + "IHHHIHHII", 8, 1, 0x0112, 3, 1, 6, 0, 0, 0)
    assert orientation(b"Exif\0\0" + block) == 6


# --- hostile blocks -------------------------------------------------------------------------------------------


def test_xml_bombs_are_not_parsed():
    """XMP that declares any entity, to expand it or to read a file with it, yields nothing, at once."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>'.encode() + xmp_block("<dc:creator>&l9;</dc:creator>")
    external = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + xmp_block("<dc:creator>&e;</dc:creator>")
    harmless = b'<!DOCTYPE x [<!ENTITY e "Ann">]>' + xmp_block("<dc:creator>&e;</dc:creator>")
    for block in (bomb, external, harmless):
        packet = block.replace(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>', b"")
        assert read_xmp(packet) == {}
        assert read_metadata(MetadataBlocks(xmp=packet)) == PhotoMetadata()


def test_deep_and_long_xmp_yields_nothing_or_the_field():
    """A packet nested 10,000 deep does not overflow, and one above the size limit is not parsed."""
    assert read_xmp(xmp_block("<dc:a>" * 10_000 + "</dc:a>" * 10_000 + CREATOR)) in ({}, {"creator": "Ann Lee"})
    assert read_xmp(xmp_block(CREATOR + " " * 300_000)) == {}


def test_a_directory_that_points_to_itself_ends():
    """An EXIF sub-directory that is its own parent is read once."""
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, Tag.ExifOffset, 4, 1, 8) + bytes(4)
    assert read_exif(block) == {Tag.ExifOffset: 8}


@pytest.mark.parametrize(
    "data", [b"junk", b"Exif\0\0", b"Exif\0\0II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_broken_block_never_rejects_a_photo(data):
    """A JPEG, PNG or WebP with a broken EXIF block decodes upright, without metadata."""
    for photo_format in ("JPEG", "PNG", "WEBP"):
        result = decode(encoded(scene(3), photo_format, exif=data, xmp=b"<x"))
        assert result.metadata == PhotoMetadata()
        assert result.width == 96


VALID = (
    exif_block(DateTime="2019:05:04 12:00:01", Artist="Ann Lee", DateTimeOriginal="2019:05:04 12:00:01"),
    iptc_block({55: "20190504", 80: "Ann Lee", 120: "A flood"}),
    xmp_block(DESCRIPTION + CREATOR),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 0.999), st.binary(max_size=4)), max_size=8), st.integers(0, 400)
)
def test_no_block_raises(edits, cut):
    """Blocks with bytes overwritten and their end cut off give metadata, or none, but never an error."""
    blocks = [bytearray(block) for block in VALID]
    for number, share, value in edits:
        position = int(share * len(blocks[number]))
        blocks[number][position : position + len(value)] = value
    exif, iptc, xmp = (bytes(block[: len(block) - cut % len(block)]) for block in blocks)
    metadata = read_metadata(MetadataBlocks(exif, iptc, xmp))
    assert 1 <= orientation(exif) <= 8
    assert metadata.captured_at is None or metadata.captured_at.tzinfo is timezone.utc


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_blocks_raise_nothing(data):
    """Random bytes behind each block's magic yield nothing worse than odd text."""
    for block in (data, b"II*\0" + data, b"MM\0*\0\0\0\x08" + data, b"8BIM\x04\x04" + data, b"\x1c\x02" + data):
        read_metadata(MetadataBlocks(block, block, block))
        read_iptc(block)


def test_the_numbers_of_exif_are_those_of_its_specification():
    """Pillow has them all, by the same names."""
    assert all(Tag[tag.name] == tag for tag in exif_tags.Tag)
