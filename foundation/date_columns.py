"""Reads columns of dates, texts or times of any type, into UTC microseconds, and finds those that cannot be meant."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from foundation.photos.dates import implausible_times, read_date

if TYPE_CHECKING:
    import pyarrow as pa

UNREADABLE = "cannot be read"
# Above this share a column is in another form than expected, and to leave its dates out would lose them all. A single
# bad date never is: in ten rows it is a tenth of them.
MAX_UNREADABLE_SHARE = 0.01
# Texts that Arrow reads at once, until one of them is bad: then these many are read one by one.
BLOCK_ROWS = 4_096


def read_times(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Returns timestamps in UTC microseconds, null for what names no time; times without an offset are UTC.

    Raises pyarrow's ArrowException on a column of another type than text, numbers, dates or timestamps.
    """
    import pyarrow as pa

    if pa.types.is_temporal(column.type):
        return _typed(column)
    return _clipped(pa.chunked_array(_parsed_blocks(column.cast(pa.string())), _type()))


def implausible(times: "pa.ChunkedArray") -> "dict[str, pa.ChunkedArray]":
    """Returns a mask of the times that cannot be meant for each reason, see `foundation.photos.dates`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def within(first, last) -> "pa.ChunkedArray":
        since, until = pa.scalar(first, times.type), pa.scalar(last, times.type)
        return pc.fill_null(pc.and_(pc.greater_equal(times, since), pc.less_equal(times, until)), False)

    return {rule.why: within(rule.first, rule.last) for rule in implausible_times()}


def is_of_another_form(unreadable: int, dated: int) -> bool:
    """Returns whether so many of the dates cannot be read that all of them must be in another form."""
    if unreadable <= 1:
        return 0 < unreadable == dated
    return unreadable > MAX_UNREADABLE_SHARE * dated


def _type() -> "pa.DataType":
    import pyarrow as pa

    return pa.timestamp("us", "UTC")


def _typed(times: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date(times.type):
        times = times.cast(pa.timestamp("s" if pa.types.is_date32(times.type) else "ms"))
    if not pa.types.is_timestamp(times.type):
        raise pa.ArrowTypeError(f"{times.type} names no moment")
    if times.type.tz is None:
        times = pc.assume_timezone(times, "UTC")
    # Times in nanoseconds are cut to microseconds.
    return _clipped(times).cast(_type(), safe=False)


def _clipped(times: "pa.ChunkedArray") -> "pa.ChunkedArray":
    # Seconds and milliseconds reach years that microseconds cannot hold, and these reach further than Python's: what
    # lies beyond is judged as the first and the last that Python has. Nanoseconds reach the years 1677 to 2262.
    import pyarrow as pa
    import pyarrow.compute as pc

    first, *_, last = implausible_times()
    if times.type.unit == "ns":
        return times
    earliest, latest = pa.scalar(first.first, times.type), pa.scalar(last.last, times.type)
    times = pc.if_else(pc.less(times, earliest), earliest, times)
    return pc.if_else(pc.greater(times, latest), latest, times)


def _parsed_blocks(texts: "pa.ChunkedArray") -> "Iterator[pa.Array]":
    import pyarrow as pa

    # Arrow reads a million dates in a tenth of a second, and Python in three; but Arrow's reader gives up at the first
    # bad one without saying where. Whatever Arrow reads, `read_date` reads as the same time.
    for start in range(0, len(texts), BLOCK_ROWS):
        block = texts.slice(start, BLOCK_ROWS).combine_chunks()
        try:
            yield _parse_block(block)
        except pa.ArrowException:
            yield pa.array([text and read_date(text) for text in block.to_pylist()], _type())


def _parse_block(texts: "pa.Array") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    # Arrow parses times with and without an offset as two types, and a column may mix them.
    has_offset = pc.match_substring_regex(texts, r"T?\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)$")
    plain = pc.if_else(has_offset, pa.scalar(None, pa.string()), texts)
    with_offset = pc.if_else(has_offset, texts, pa.scalar(None, pa.string()))
    local = pc.assume_timezone(plain.cast(pa.timestamp("us")), "UTC")
    return pc.coalesce(with_offset.cast(_type()), local)
