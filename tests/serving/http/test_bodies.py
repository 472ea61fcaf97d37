"""Bodies in memory: bounded one by one and together, counted as they come, and never on a disk."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from starlette.requests import Request

from foundation.store.files import Store
from serving.http.bodies import BodyMemory, Room, read_form
from serving.http.options import ServeOptions
from serving.http.problems import Problem
from serving.http.service import make_app
from tests.serving.http.clients import AppClient
from tests.serving.http.fake_engine import FakeLive

OPTIONS = ServeOptions(max_body_bytes=3 * 2**20, max_images=3)


def form_of(*files: bytes) -> bytes:
    """Returns the body of a form with these files."""
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    return b"".join(head + one + b"\r\n" for one in files) + b"--x--\r\n"


def read(body: bytes, room: Room, *, pieces: int = 4, content_type: str = "multipart/form-data; boundary=x"):
    """Reads a body that comes in pieces."""
    size = max(1, len(body) // pieces)
    messages = [
        {"type": "http.request", "body": body[start : start + size], "more_body": start + size < len(body)}
        for start in range(0, len(body), size)
    ]

    async def receive():
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}
    return asyncio.run(read_form(Request(scope, receive), OPTIONS, room))


def test_a_large_upload_is_never_written_to_a_disk(monkeypatch: pytest.MonkeyPatch):
    """Not even for a moment, as Starlette does with files above a megabyte."""

    def refuse(*_, **__):
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    data = bytes(2 * 2**20)
    form = read(form_of(data), Room(BodyMemory(2**30)))
    assert [(one.field, one.name, len(one.data)) for one in form.files] == [("image", "a.jpg", len(data))]


def test_bodies_are_counted_as_they_come_and_no_longer_than_they_are_there():
    """A client that promises much and sends little takes no room from others."""
    memory = BodyMemory(100_000)
    with memory.room() as first:
        read(form_of(bytes(60_000)), first)
        with memory.room() as second, pytest.raises(Problem) as caught:
            read(form_of(bytes(60_000)), second)
        assert (caught.value.status, caught.value.reason) == (503, "uploads")
        assert dict(caught.value.headers) == {"Retry-After": "1"}
        with memory.room() as third:
            read(form_of(bytes(30_000)), third)
    with memory.room() as fourth:
        read(form_of(bytes(60_000)), fourth)
    assert memory.take(100_000)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (form_of(b"a")[:-6], "multipart"),
        (form_of(b"a").replace(b'name="image"', b"no"), "multipart"),
        (form_of(*[b"a"] * 4), "too_many_images"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 40 + b"--x--\r\n", "multipart"),
        (b"--x\r\n" + b"X: y\r\n" * 100 + b"\r\n", "multipart"),
        (b"--x\r\nX: " + b"y" * 10_000 + b"\r\n\r\n", "multipart"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"b" * 2**20 * 2 + b"\r\n--x--\r\n", "multipart"),
        (form_of(bytes(3 * 2**20)), "body_too_large"),
    ],
)
def test_a_form_that_is_broken_or_too_much_is_refused(body: bytes, reason: str):
    """Cut off, without names, with too many files or fields, with headers without end, too large."""
    with pytest.raises(Problem) as caught:
        read(body, Room(BodyMemory(2**30)))
    assert caught.value.reason == reason
    assert caught.value.status == (400 if reason == "multipart" else 413)


@pytest.mark.parametrize("charset", ["undefined", "punycode", "utf-7", "unicode_escape", "hex", "none", "utf-16"])
@pytest.mark.parametrize("name", [b"\\ud800", b"+2AA-", b"\xff\xfe", b"\\x", b"a\x00"])
def test_names_of_files_are_read_as_utf_8_whatever_charset_is_named(charset: str, name: bytes):
    """Some charsets that Python knows raise, and others give text that no answer can hold."""
    body = form_of(b"a").replace(b"a.jpg", name)
    form = read(body, Room(BodyMemory(2**30)), content_type=f"multipart/form-data; boundary=x; charset={charset}")
    (file,) = form.files
    assert file.name.encode()


def test_a_service_that_is_full_says_when_to_come_back(tmp_path: Path):
    """And answers again as soon as there is room."""
    options = ServeOptions(max_body_bytes=20_000, max_bodies_bytes=20_000)
    app = make_app(FakeLive(), options, store=Store(tmp_path))
    memory, client = app.state.service.memory, AppClient(app)
    assert memory.take(15_000)
    files = [("image", ("a.jpg", b"\xff\xd8" + bytes(10_000)))]
    response = client.post("/v1/lookup", files=files)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert memory.take(-15_000)
    assert client.post("/v1/lookup", files=files).status_code == 200
    assert memory.take(20_000)
