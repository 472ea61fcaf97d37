"""Looks for what is left of a photo in a store, by reading all of it."""

from pathlib import Path

from pyarrow import parquet


def texts_of(root: Path) -> bytes:
    """Returns every byte of a store, tables uncompressed, but for the retractions and the encoder."""
    found = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or "retractions" in path.parts or "encoders" in path.parts:
            continue
        found.append(
            repr(parquet.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()
        )
    return b"".join(found)


def traces(root: Path, name: str, content: bytes) -> list[str]:
    """Returns in which guise a photo is still in a store: an oracle that reads everything."""
    everything = texts_of(root)
    guises = {
        "name": f"'{name}'".encode(),
        "hash": content,
        "shown hash": repr(content)[2:-1].encode(),
        "hex": content.hex().encode(),
    }
    return [guise for guise, data in guises.items() if data in everything]
