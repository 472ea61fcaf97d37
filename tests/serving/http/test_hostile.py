"""Files that break decoders, posted one by one: each has its answer, and the service goes on."""

import json
import struct
import time
import urllib.error
import urllib.request
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.foundation.photos.files import ANYTHING, encoded, oriented
from tests.photos import jpeg, scene
from tests.serving.http.running import Running, status_of

MEGABYTE = 2**20


def post(service: Running, data: bytes, name: str) -> dict:
    """Posts one file, and returns the answer to it; fails unless the status is 200."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(f"{service.address}/v1/lookup", body, headers)  # noqa: S310 (our own address)
    try:
        response = urllib.request.urlopen(request, timeout=60)  # noqa: S310
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{name}: {error}: {service.lines()[-3:]}") from error
    with response:
        assert response.status == 200
        (result,) = json.load(response)["results"]
    return result["answers"][0]


def made_files() -> Iterator[tuple[str, bytes]]:
    """Yields small files that are wrong in every way that is easily made."""
    pixels = scene(5)
    for photo_format in ANYTHING:
        whole = encoded(pixels, photo_format)
        yield f"whole.{photo_format}", whole
        yield f"cut.{photo_format}", whole[: len(whole) // 2]
        yield f"header.{photo_format}", whole[:24]
        for seed in range(3):
            damaged = bytearray(whole)
            for place in np.random.default_rng(seed).integers(0, len(whole), 20):
                damaged[place] ^= 0x55
            yield f"damaged-{seed}.{photo_format}", bytes(damaged)
    yield "turned.jpg", oriented(pixels, 6, "JPEG")
    yield "empty.jpg", b""
    yield "zeros.jpg", bytes(10_000)
    yield "page.jpg", b"<html><script>alert(1)</script>" * 30
    yield "bomb.png", png_of(30_000, 30_000)
    yield "strip.png", png_of(60_000, 1)
    yield "trailing.jpg", jpeg(pixels) + b"PK\x03\x04" * 1_000
    yield "drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "list.m3u8", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"
    yield "script.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n"


def png_of(width: int, height: int) -> bytes:
    """Returns a PNG that declares this size, of a few bytes of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1_000)))
        + chunk(b"IEND", b"")
    )


def test_every_hostile_file_has_its_answer(service: Running):
    """Rejected with a word, or looked up; no 500, no restart, and the service is ready after all of them."""
    before = service.resident_bytes()
    statuses: Counter = Counter()
    for name, data in made_files():
        answer = post(service, data, name)
        statuses[answer["status"]] += 1
        if answer["status"] == "rejected":
            assert answer["reason"].partition(":")[0].isidentifier(), answer
        assert name.startswith("cut") is False or answer["status"] == "rejected"
    assert statuses["rejected"] >= 30
    assert service.process.poll() is None
    assert status_of(f"{service.address}/readyz") == 200
    assert service.resident_bytes() - before < 100 * MEGABYTE


def test_a_photo_of_too_many_pixels_is_refused_by_its_header(service: Running):
    """A bomb of some bytes is no work: the answer names what was declared."""
    started = time.monotonic()
    answer = post(service, png_of(12_000, 12_000), "bomb.png")
    assert answer["reason"].startswith("too_many_pixels: received 12000x12000 pixels, expected at most 100,000,000")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b.jpg", "ä€😀.jpg", "<b>.jpg", "x" * 3_000, "%00.jpg"])
def test_names_of_files_are_names_and_no_places(service: Running, name: str):
    """They come back as they were given, up to a length: nothing is opened by them."""
    answer = post(service, jpeg(scene(3)), name)
    assert answer["query"] == name[:1_000]
    assert answer["status"] in ("matched", "no_match")


def test_the_hostile_folder_is_posted_file_by_file(service: Running, shared_data: Path):
    """Each of its files is answered with 200, those that must be rejected as rejected; memory is bounded."""
    rejected = {"must-be-rejected"}
    rows = (shared_data / "hostile" / "manifest.csv").read_text().splitlines()[1:]
    expected = {row.split(",")[0]: row.split(",")[2] for row in rows}
    before, answered = service.resident_bytes(), 0
    for path in sorted((shared_data / "hostile").iterdir()):
        if path.name not in expected or path.stat().st_size > 1_900_000:
            continue
        answer = post(service, path.read_bytes(), path.name)
        answered += 1
        assert answer["status"] == "rejected" or expected[path.name] not in rejected, (path.name, answer)
    assert answered > 100
    assert service.process.poll() is None
    assert service.resident_bytes() - before < 150 * MEGABYTE
