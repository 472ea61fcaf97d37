"""Reads `tf.train.Example`, what TFRecord files hold, without TensorFlow and without protobuf.

An Example is a map from names to lists of bytes, floats or integers (tensorflow/core/example/feature.proto), in the
wire format of protobuf. Of both only what finds the encoded photo and its class is read here.
"""

from collections.abc import Iterator

# Features of an Example, and fields of anything in it: a hundred are many, and a forged record may hold millions.
MAX_FIELDS = 10_000
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_SKIPPED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}

Value = memoryview | int


def read_example(data: bytes) -> dict[str, bytes | int]:
    """Returns the first value of each feature of bytes or integers; raises ValueError on what is no Example."""
    found: dict[str, bytes | int] = {}
    for features in _messages(memoryview(data), 1):
        for entry in _messages(features, 1):
            name = b"".join(bytes(key) for key in _messages(entry, 1)).decode("utf-8", "replace")
            for feature in _messages(entry, 2):
                for value in _first_values(feature):
                    found[name] = value
    return found


def _first_values(feature: memoryview) -> Iterator[bytes | int]:
    for values in _messages(feature, 1):  # bytes_list
        yield from (bytes(value) for value in _messages(values, 1, most=1))
    for values in _messages(feature, 3):  # int64_list, packed or one by one
        for number, value in _fields(values):
            if number == 1:
                yield value if isinstance(value, int) else _varint(value, 0)[0]
                return


def _messages(data: memoryview, wanted: int, *, most: int = MAX_FIELDS) -> Iterator[memoryview]:
    for number, value in _fields(data):
        if number == wanted and isinstance(value, memoryview):
            yield value
            most -= 1
            if not most:
                return


def _fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Yields (number, value) of each field of a message; numbers of fixed width are passed over."""
    position = 0
    for _ in range(MAX_FIELDS):
        if position == len(data):
            return
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in _SKIPPED:
            length = _SKIPPED[kind]
        else:
            raise ValueError(f"a field of kind {kind}")
        if length > len(data) - position:
            raise ValueError(f"a field of {length:,} bytes, where {len(data) - position:,} are left")
        if kind == _BYTES:
            yield key >> 3, data[position : position + length]
        position += length
    raise ValueError(f"more than {MAX_FIELDS:,} fields")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position == len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number without an end")
