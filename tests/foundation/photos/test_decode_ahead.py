"""Decoding ahead: in order, bounded, and nothing left running."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.photos.decode_ahead import decode_ahead, start_decoders


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two threads."""
    with ThreadPoolExecutor(2) as made:
        yield made


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers()), st.integers(1, 9))
def test_results_come_in_the_order_of_the_items(items: list[int], ahead: int):
    """Whatever the window, nothing is lost and nothing overtakes."""
    with ThreadPoolExecutor(2) as pool:
        assert list(decode_ahead(items, lambda item: item * 2, pool=pool, ahead=ahead)) == [item * 2 for item in items]


def test_no_more_is_taken_than_the_window_holds(pool: ThreadPoolExecutor):
    """A source of any length stays where it is until there is room."""
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = decode_ahead(items(), lambda item: item, pool=pool, ahead=5)
    assert next(results) == 0
    assert len(taken) == 5
    assert next(results) == 1
    assert len(taken) == 6


def test_an_error_stands_where_its_result_would(pool: ThreadPoolExecutor):
    """The results before it are there."""
    results = decode_ahead([1, 0, 2], lambda item: 1 // item, pool=pool, ahead=3)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_who_stops_early_leaves_nothing_waiting():
    """What has not begun is cancelled."""
    gate, decoded = threading.Event(), []

    def decode(item: int) -> int:
        if item:
            gate.wait(10)
        decoded.append(item)
        return item

    with ThreadPoolExecutor(1) as pool:
        results = decode_ahead(range(50), decode, pool=pool, ahead=40)
        assert next(results) == 0
        results.close()
        gate.set()
    assert len(decoded) <= 2


def test_decoders_are_one_thread_per_core():
    """OpenCV adds none of its own, which would only wait for one another."""
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        with start_decoders() as pool:
            assert pool._max_workers == os.cpu_count()
            assert pool.submit(cv2.getNumThreads).result() == 1
    finally:
        cv2.setNumThreads(before)
