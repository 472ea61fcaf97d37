"""A whole encode run over photos that make decoders die, hang and fail."""

from functools import partial
from pathlib import Path

import pytest
from pyarrow import parquet

from foundation.errors import FirstseenError
from foundation.photos import shared_decoders
from foundation.photos.decoder_processes import DecoderProcesses
from foundation.store.runs import Run
from pipelines.encode import decode_photos, job
from pipelines.encode.plan import EncodeOptions
from tests.photos import jpeg, scene
from tests.pipelines.encode import hostile_decoder

REASONS = {
    "segfault": "decoder_crashed",
    "abort": "decoder_crashed",
    "exit": "decoder_crashed",
    "hang": "decoder_timeout",
    "eat memory": "out_of_memory",
    "be killed": "out_of_memory",
    "raise": "corrupt",
}


@pytest.fixture(autouse=True)
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoder processes that run the hostile decoder, and have a second and a gigabyte for a photo."""
    monkeypatch.setattr(decode_photos, "decode_content", hostile_decoder.decode)
    strict = partial(DecoderProcesses, timeout_seconds=1, memory_bytes=2**30)
    monkeypatch.setattr(shared_decoders, "DecoderProcesses", strict)


def encode(store: Path, folder: Path) -> Run:
    """Encodes a folder in small pieces."""
    return job.encode(EncodeOptions(archive=str(folder), store=str(store), batch_size=3, chunk_photos=16)).run


def test_a_run_rejects_exactly_the_photos_that_decoders_die_of(store: Path, tmp_path: Path) -> None:
    """The job completes; every other photo is embedded, and the accounting adds up."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    marks = {5 * number: how for number, how in enumerate(REASONS)}
    for number in range(40):
        how = hostile_decoder.MARK + marks[number].encode() if number in marks else b""
        (folder / f"{number:02}.jpg").write_bytes(jpeg(scene(number)) + how)
    run = encode(store, folder)
    inventory = parquet.read_table(store / run.inventory).to_pylist()
    became = {row["photo_id"]: row["reason"] for row in inventory}
    assert became == {f"{number:02}.jpg": REASONS.get(marks.get(number, "")) for number in range(40)}
    assert all((row["content_sha256"] is None) == (row["reason"] is not None) for row in inventory)
    assert (run.accounting.listed, run.accounting.embedded) == (40, 40 - len(marks))


def test_a_defect_of_our_own_ends_the_run_and_names_the_photo(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no reject: what is wrong with the program is not the photos' fault."""
    monkeypatch.setattr(decode_photos, "decode_content", hostile_decoder.divide_by_zero)
    with pytest.raises(FirstseenError, match=r"photo '2019/photo-00\d\.jpg': ZeroDivisionError: division by zero"):
        encode(store, archive)
