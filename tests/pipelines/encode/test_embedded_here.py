"""What a worker has embedded: an exact duplicate is not embedded a second time, and every photo comes to something."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.encode import embedded_here
from pipelines.encode.decode_photos import Decoded, DecodedPhoto, KnownPhoto, Reject
from pipelines.encode.embedded_here import NO_EMBEDDING, ChunkContents, EmbeddedHere
from pipelines.encode.outcomes import Outcome
from tests.builders import content


def decoded(name: object) -> DecodedPhoto:
    """A decoded photo with the content of that name."""
    return DecodedPhoto({"content_sha256": content(name)}, np.zeros((1, 1, 3), np.uint8), 1)


def settle(chunk: ChunkContents, *batch: Decoded, unusable: str = "") -> tuple[int, list[Outcome]]:
    """Embeds what is wanted of a batch; returns how many photos, and what all came to."""
    wanted = chunk.wanted(batch)
    return len(wanted), chunk.settle(batch, wanted, {content(name) for name in unusable})


def test_of_equal_contents_the_first_is_embedded() -> None:
    """Within a batch, in a later batch of the chunk, and in a later chunk."""
    here = EmbeddedHere()
    chunk = here.begin(0)
    embedded, same = Outcome(content("a"), is_embedded=True), Outcome(content("a"))
    assert settle(chunk, decoded("a"), decoded("a")) == (1, [embedded, same])
    assert settle(chunk, decoded("a")) == (0, [same])
    assert settle(here.begin(1), decoded("a")) == (0, [same])


def test_a_chunk_that_is_done_again_embeds_its_contents_again() -> None:
    """Its first attempt may have been lost with its shard; those of other chunks were not."""
    here = EmbeddedHere()
    settle(here.begin(0), decoded("a"))
    settle(here.begin(1), decoded("b"))
    assert settle(here.begin(1), decoded("a"), decoded("b"), decoded("b")) == (
        1,
        [Outcome(content("a")), Outcome(content("b"), is_embedded=True), Outcome(content("b"))],
    )


def test_what_was_not_decoded_comes_to_what_it_is() -> None:
    """A reject keeps its reason; a known content is not embedded."""
    batch = (Reject("truncated", "why"), KnownPhoto(content("a"), 1))
    assert settle(EmbeddedHere().begin(0), *batch) == (0, [Outcome(None, "truncated", "why"), Outcome(content("a"))])


def test_a_content_without_a_usable_vector_is_a_reject_wherever_it_comes() -> None:
    """The encoder is asked once in a chunk; another chunk asks again, and no content is taken for embedded."""
    here = EmbeddedHere()
    chunk = here.begin(0)
    asked, outcomes = settle(chunk, decoded("a"), decoded("b"), decoded("a"), unusable="a")
    assert asked == 2
    assert [one.reason for one in outcomes] == [NO_EMBEDDING, None, NO_EMBEDDING]
    assert settle(chunk, decoded("a"))[1][0].reason == NO_EMBEDDING
    assert settle(here.begin(1), decoded("a"))[0] == 1


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest contents are forgotten: their duplicates cost an inference, and no memory."""
    monkeypatch.setattr(embedded_here, "REMEMBERED", 2)
    here = EmbeddedHere()
    settle(here.begin(0), *map(decoded, "abc"))
    assert settle(here.begin(1), *map(decoded, "abc"))[0] == 1


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=6))
def test_every_content_is_embedded_once(chunks: list[list[int]]) -> None:
    """However photos are spread over chunks."""
    here = EmbeddedHere()
    outcomes = [
        one for number, names in enumerate(chunks) for one in settle(here.begin(number), *map(decoded, names))[1]
    ]
    embedded = [one.content_sha256 for one in outcomes if one.is_embedded]
    assert sorted(embedded) == sorted({one.content_sha256 for one in outcomes})
    assert [one.content_sha256 for one in outcomes] == [content(name) for names in chunks for name in names]
