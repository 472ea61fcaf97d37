"""Examples of TFRecord files: read as TensorFlow reads them, and refused when forged."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.archives.tensorflow_examples import read_example


def varint(value: int) -> bytes:
    """Returns a number in the wire format of protobuf."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, data: bytes) -> bytes:
    """Returns a field that holds bytes or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def example(features: dict[str, bytes | int | float]) -> bytes:
    """Returns a `tf.train.Example` of these features, of one value each."""
    entries = b""
    for name, value in features.items():
        if isinstance(value, bytes):
            feature = field(1, field(1, value))
        elif isinstance(value, float):
            feature = field(2, field(1, struct.pack("<f", value)))
        else:
            feature = field(3, field(1, varint(value)))
        entries += field(1, field(1, name.encode()) + field(2, feature))
    return field(1, entries)


def test_what_tensorflow_writes_is_read():
    """The first value of each list, of bytes or integers; floats are of no use here."""
    import tensorflow as tf

    lists = {
        "photo": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"one\0", b"two"])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[300, 2])),
        "size": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5])),
        "empty": tf.train.Feature(bytes_list=tf.train.BytesList()),
        "名": tf.train.Feature(int64_list=tf.train.Int64List(value=[-1])),
    }
    data = tf.train.Example(features=tf.train.Features(feature=lists)).SerializeToString()
    assert read_example(data) == {"photo": b"one\0", "label": 300, "名": 2**64 - 1}
    made = {"photo": b"x" * 300, "label": 7, "share": 0.5}
    assert tf.train.Example.FromString(example(made)).features.feature["photo"].bytes_list.value == [b"x" * 300]
    assert read_example(example(made)) == {"photo": b"x" * 300, "label": 7}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x0a\x05ab", "5 bytes, where 2 are left"),
        (b"\x0a" + b"\xff" * 20, "a number without an end"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "bytes, where 0 are left"),
        (b"\x0b", "a field of kind 3"),
        (b"\x09\0", "8 bytes, where 1 are left"),
        (b"\x08", "a number without an end"),
        (b"\x10\x01" * 10_001, "more than 10,000 fields"),
    ],
)
def test_what_is_no_example_is_refused(data: bytes, message: str):
    """In words, and before anything of the size that it claims is taken."""
    with pytest.raises(ValueError, match=message):
        read_example(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.tuples(st.integers(0, 40), st.binary(max_size=3)))
def test_forged_data_raise_nothing_else(data):
    """Random bytes, and an Example with some of its bytes overwritten, give features or a ValueError."""
    if isinstance(data, tuple):
        whole = bytearray(example({"image": b"1234", "label": 5}))
        whole[data[0] : data[0] + len(data[1])] = data[1]
        data = bytes(whole)
    try:
        found = read_example(data)
    except ValueError:
        return
    assert all(isinstance(value, bytes | int) for value in found.values())
