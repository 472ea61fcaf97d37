"""encoder.json: an encoder's name pins its files, and its golden answers tell a wrong or damaged model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.encoders import (
    ENCODER_DESCRIPTION,
    EncoderSpec,
    check_golden_vectors,
    encoder_directory,
    encoder_id_for,
    golden_photos,
    list_encoders,
    read_spec,
)
from foundation.store.files import Store

FILES = {"saved_model.pb": FileRecord(3, "a" * 64), "variables/data": FileRecord(4, "b" * 64)}


def make_spec(recipe: str = "conv", **changes: object) -> EncoderSpec:
    """Returns a consistent spec."""
    spec = EncoderSpec(
        encoder_id=encoder_id_for(recipe, FILES),
        recipe=recipe,
        created_at=artifact.now(),
        size=8,
        channels=3,
        dimension=2,
        distance="cosine",
        decode_rule=1,
        golden_vectors=[[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]],
        files=FILES,
        training={"epochs": 2, "rate": 0.1, "mixed": False, "note": None},
    )
    return replace(spec, **changes)


def write(store: Store, spec: EncoderSpec, *, directory: str | None = None) -> str:
    """Finishes an encoder; returns its digest."""
    path = encoder_directory(directory or spec.encoder_id)
    return artifact.finish(store, f"{path}/{ENCODER_DESCRIPTION}", spec)


def test_a_spec_round_trips(tmp_path: Path) -> None:
    """What was exported is read back equal, with the digest that runs will name."""
    store, spec = Store(tmp_path), make_spec()
    digest = write(store, spec)
    assert read_spec(store, spec.encoder_id) == (spec, digest)


def test_the_name_depends_on_the_files_and_not_on_their_order() -> None:
    """Another file, name or recipe gives another encoder; the order of the listing does not."""
    name = encoder_id_for("conv", FILES)
    assert name.startswith("conv-")
    assert encoder_id_for("conv", dict(reversed(FILES.items()))) == name
    others = [
        encoder_id_for("dense", FILES),
        encoder_id_for("conv", {**FILES, "x": FileRecord(1, "c" * 64)}),
        encoder_id_for("conv", {**FILES, "saved_model.pb": FileRecord(3, "c" * 64)}),
        encoder_id_for("conv", {"other.pb" if n == "saved_model.pb" else n: r for n, r in FILES.items()}),
    ]
    assert len({name, *others}) == 5


def test_only_finished_encoders_are_listed(tmp_path: Path) -> None:
    """A directory without encoder.json is an export that never finished."""
    store = Store(tmp_path)
    first, second = make_spec("b"), make_spec("a")
    write(store, first)
    write(store, second)
    store.create("encoders/unfinished/saved_model.pb", b"x")
    assert list_encoders(store) == sorted([first.encoder_id, second.encoder_id])


def test_an_unknown_encoder_lists_the_known_ones(tmp_path: Path) -> None:
    """The error names the choices, or the verb that makes one."""
    store = Store(tmp_path)
    with pytest.raises(InputNotFoundError, match="it has: none; `firstseen encode` puts one there"):
        read_spec(store, "conv-1")
    write(store, make_spec())
    with pytest.raises(InputNotFoundError, match=f"it has: {make_spec().encoder_id}"):
        read_spec(store, "conv-1")


@pytest.mark.parametrize("encoder_id", ["../outside", "", "a/../../b"])
def test_an_encoder_id_cannot_leave_the_store(tmp_path: Path, encoder_id: str) -> None:
    """A path in place of a name is an input error, not a crash."""
    with pytest.raises(InputNotFoundError):
        read_spec(Store(tmp_path), encoder_id)


def test_a_spec_under_another_name_is_refused(tmp_path: Path) -> None:
    """A renamed directory, or files exchanged in the listing, do not pass for the encoder they are named after."""
    store, spec = Store(tmp_path), make_spec()
    write(store, spec, directory="conv-000000000000")
    with pytest.raises(ArtifactRefusedError, match="other files than encoder 'conv-000000000000'"):
        read_spec(store, "conv-000000000000")
    write(store, replace(spec, files={"saved_model.pb": FileRecord(3, "c" * 64)}))
    with pytest.raises(ArtifactRefusedError, match="restore the directory"):
        read_spec(store, spec.encoder_id)


def test_an_unknown_distance_is_refused(tmp_path: Path) -> None:
    """Only the distances that search knows can be named."""
    store, spec = Store(tmp_path), make_spec(distance="manhattan")
    write(store, spec)
    with pytest.raises(ArtifactRefusedError, match="distance"):
        read_spec(store, spec.encoder_id)


@pytest.mark.parametrize(("size", "channels"), [(1, 1), (8, 1), (32, 3), (300, 3)])
def test_golden_photos_are_fixed_distinct_and_of_the_shape_asked_for(size: int, channels: int) -> None:
    """uint8 in the shape of a batch; their pixels are integer arithmetic, checked here at one place."""
    photos = golden_photos(size, channels)
    assert photos.shape == (4, size, size, channels)
    assert photos.dtype == np.uint8
    assert photos[3, -1, -1, -1] == ((size - 1) * 3 + (size - 1) * 4 + (channels - 1) * 50) % 256
    if size > 1:
        assert len({photo.tobytes() for photo in photos}) == 4


def test_golden_vectors_may_move_by_rounding_only() -> None:
    """Answers within a hundredth pass; more, another shape, or numbers that are not finite are refused."""
    spec = make_spec()
    expected = np.array(spec.golden_vectors, np.float32)
    check_golden_vectors(spec, expected)
    check_golden_vectors(spec, expected + np.float32(5e-3))
    for wrong in (expected + np.float32(2e-2), expected[::-1], expected[:3], expected[:, :1], expected * np.nan):
        with pytest.raises(ArtifactRefusedError, match=spec.encoder_id):
            check_golden_vectors(spec, wrong)


def test_golden_vectors_that_are_not_finite_pass_nothing() -> None:
    """An encoder exported with broken answers is refused, whatever it answers now."""
    spec = make_spec(golden_vectors=[[float("nan"), 0.0]] * 4)
    with pytest.raises(ArtifactRefusedError, match="differs from its golden vectors"):
        check_golden_vectors(spec, np.ones((4, 2), np.float32))


def test_golden_vectors_of_two_lengths_are_refused() -> None:
    """A description that contradicts itself is named, before any comparison with it."""
    spec = make_spec(golden_vectors=[[1.0, 0.0], [1.0], [1.0, 0.0], [1.0, 0.0]])
    with pytest.raises(ArtifactRefusedError, match=f"{spec.encoder_id} lists golden vectors that differ in length"):
        check_golden_vectors(spec, np.ones((4, 2), np.float32))
