"""A whole encode run over photos that make decoders die, hang and fail."""

from functools import partial
from pathlib import Path

import pytest

from foundation.errors import FirstseenError
from foundation.photos import shared_decoders
from foundation.photos.decoder_processes import DecoderProcesses
from pipelines.encode import decode_photos, job
from tests.photos import jpeg, scene
from tests.pipelines.encode import hostile_decoder
from tests.pipelines.encode.test_job import options, read_rejects, read_rows

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


def test_a_run_rejects_exactly_the_photos_that_decoders_die_of(store: Path, tmp_path: Path) -> None:
    """The job completes; every other photo has its row, and the accounting adds up."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    marks = {5 * number: how for number, how in enumerate(REASONS)}
    for number in range(40):
        how = marks.get(number)
        (folder / f"{number:02}.jpg").write_bytes(
            jpeg(scene(number)) + (hostile_decoder.MARK + how.encode() if how else b"")
        )
    run = job.encode(options(store, folder))
    assert read_rejects(store, run) == {f"{number:02}.jpg": REASONS[how] for number, how in marks.items()}
    assert [row["photo_id"] for row in read_rows(store, run)] == [f"{n:02}.jpg" for n in range(40) if n not in marks]
    assert (run.accounting.listed, run.accounting.embedded) == (40, 40 - len(marks))


def test_a_defect_of_our_own_ends_the_run_and_names_the_photo(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no reject: what is wrong with the program is not the photos' fault."""
    monkeypatch.setattr(decode_photos, "decode_content", hostile_decoder.divide_by_zero)
    with pytest.raises(FirstseenError, match=r"photo '2019/photo-00\d\.jpg': ZeroDivisionError: division by zero"):
        job.encode(options(store, archive))
