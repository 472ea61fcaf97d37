"""Tar shards that nobody has checked: what leads out of them is a reject, and what would fill memory is refused."""

import io
import resource
import tarfile
import time

import pytest

from foundation.archives import tar_headers
from foundation.archives.archive import open_archive, read
from foundation.archives.photos import Entry, UnreadablePhotoError
from foundation.errors import InputNotFoundError
from tests.foundation.archives.test_tar_shards import write_shard

BLOCK = tarfile.BLOCKSIZE


def entries_of(path) -> list[Entry]:
    """The listing of a shard."""
    return list(open_archive(str(path)).list())


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, **fields) -> bytes:
    """One header of a tar, with any size; negative ones too, which the library does not write."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "/etc/hostname", ".."])
def test_a_name_that_leads_out_is_a_reject(tmp_path, name):
    """Nothing is extracted, so nothing could be overwritten; yet such a name is no photo's, and nobody opens it."""
    write_shard(tmp_path / "s.tar", [(name, b"x"), ("good.jpg", b"y")])
    bad, good = entries_of(tmp_path / "s.tar")
    assert bad.size_bytes == -1
    with pytest.raises(UnreadablePhotoError, match="names a place outside the shard"):
        read(bad.uri)
    assert read(good.uri) == b"y"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device_is_a_reject(tmp_path, kind):
    """A link to a file outside is not followed, nor one to a member of the shard."""
    data = header("good.jpg", size=1) + b"x".ljust(BLOCK, b"\0")
    for target in ("/etc/hostname", "good.jpg"):
        data += header(f"link-{len(data)}.jpg", kind, linkname=target)
    (tmp_path / "s.tar").write_bytes(data + bytes(2 * BLOCK))
    good, *links = entries_of(tmp_path / "s.tar")
    assert read(good.uri) == b"x"
    for link in links:
        with pytest.raises(UnreadablePhotoError, match="is a link, a device or sparse"):
            read(link.uri)


def test_more_members_than_an_index_holds_are_refused(tmp_path, monkeypatch):
    """The message says what to do; one less is a shard like another."""
    monkeypatch.setattr(tar_headers, "MAX_MEMBERS", 5)
    write_shard(tmp_path / "s.tar", [(f"{number}.jpg", b"") for number in range(5)])
    assert len(entries_of(tmp_path / "s.tar")) == 5
    write_shard(tmp_path / "t.tar", [(f"{number}.jpg", b"") for number in range(6)])
    with pytest.raises(InputNotFoundError, match="more than 5 members: split it"):
        entries_of(tmp_path / "t.tar")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
@pytest.mark.parametrize("size", [tar_headers.MAX_HEADER_BYTES + 1, 2**40, -512])
def test_a_forged_header_is_not_read_into_memory(tmp_path, kind, size):
    """A long name of a terabyte, in a sparse file that really is that long: refused by its header, at once."""
    path = tmp_path / "s.tar"
    path.write_bytes(header("name", kind, size))
    with path.open("r+b") as file:
        file.truncate(2**41)
    start, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputNotFoundError, match="a header of"):
        entries_of(path)
    assert time.monotonic() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 2**16  # KiB


def test_names_as_long_as_the_formats_allow_are_read(tmp_path):
    """The bound is far above what any file system names a file."""
    names = ["a/" * 500 + "1.jpg", "ü" * 2_000 + ".jpg"]
    for number, layout in enumerate([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]):
        with tarfile.open(tmp_path / f"{number}.tar", "w", format=layout) as tar:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = 1
                tar.addfile(info, io.BytesIO(b"x"))
    found = entries_of(tmp_path)
    assert [entry.photo_id.split("#")[1] for entry in found] == names * 2
    assert [read(entry.uri) for entry in found] == [b"x"] * 4


@pytest.mark.parametrize("size", [-512, -1024, -(2**40)])
def test_a_size_below_zero_does_not_lead_back_for_ever(tmp_path, size):
    """The next header would be one that was read before."""
    good = header("good.jpg", size=1) + b"x".ljust(BLOCK, b"\0")
    (tmp_path / "s.tar").write_bytes(good + header("back.jpg", size=size) + bytes(2 * BLOCK))
    with pytest.raises(InputNotFoundError, match=r"s\.tar"):
        entries_of(tmp_path / "s.tar")


def test_a_chain_of_headers_of_headers_is_refused(tmp_path):
    """Each announces another one, deeper than Python goes."""
    link = header("name", tarfile.GNUTYPE_LONGNAME, 1) + b"x".ljust(BLOCK, b"\0")
    (tmp_path / "s.tar").write_bytes(link * 5_000 + header("1.jpg") + bytes(2 * BLOCK))
    with pytest.raises(InputNotFoundError, match="recursion"):
        entries_of(tmp_path / "s.tar")


def test_a_size_beyond_the_shard_is_refused(tmp_path):
    """The last member claims bytes that are not there."""
    (tmp_path / "s.tar").write_bytes(header("1.jpg", size=10**6) + bytes(20 * BLOCK))
    with pytest.raises(InputNotFoundError, match=r"cut off|unexpected end"):
        entries_of(tmp_path / "s.tar")


def test_a_compressed_shard_is_refused(tmp_path):
    """No photo of it could be read without all that lies before it, and it may unpack to anything."""
    with tarfile.open(tmp_path / "s.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("1.jpg"))
    with pytest.raises(InputNotFoundError, match="expected an uncompressed tar shard"):
        entries_of(tmp_path / "s.tar")
