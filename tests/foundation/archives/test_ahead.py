"""Work ahead of whoever takes its results: in order, in parallel, within bounds, and nothing is lost."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.archives.ahead import in_order


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.just([]), lambda below: st.lists(below, max_size=4), max_leaves=20), st.integers(1, 5))
def test_what_an_item_leads_to_comes_right_behind_it(tree, ahead):
    """Whatever the shape of the work and whichever thread is first: the order is that of a walk."""

    def label(node, name):
        return name, [label(below, f"{name}{number}") for number, below in enumerate(node)]

    def walk(item):
        return [item[0], *(name for below in item[1] for name in walk(below))]

    items = [label(node, str(number)) for number, node in enumerate(tree)]
    assert list(in_order(items, lambda item: item, threads=3, ahead=ahead)) == [n for item in items for n in walk(item)]


def test_items_are_worked_on_at_once():
    """Eight that wait for each other are done, which one thread would never be."""
    together = threading.Barrier(8, timeout=20)
    assert len(list(in_order(range(1, 17), lambda item: (str(together.wait()), []), threads=8, ahead=8))) == 16


def test_no_more_is_begun_than_fits_the_look_ahead():
    """Whoever takes slowly holds the work up, and items are asked for only when they are begun."""
    begun: list[int] = []
    taken: list[int] = []
    asked = (taken.append(number) or number for number in range(1, 1_000))
    results = in_order(asked, lambda item: (begun.append(item) or [item], []), threads=4, ahead=6)
    assert next(results) == [1]
    time.sleep(0.1)
    assert len(begun) <= 7
    assert len(taken) <= 8
    results.close()


def test_results_of_nothing_take_no_place():
    """A hundred ranges without a name do not keep the next ones from being worked on."""
    far = threading.Event()

    def work(item):
        if item == 100:
            far.set()
        # The first one waits for the last one, far outside the look-ahead.
        return ([item] if item == 0 and far.wait(20) else []), []

    assert list(in_order(range(101), work, threads=2, ahead=4)) == [[0]]


def test_an_error_comes_in_its_place():
    """What lies before it is still given; what comes behind it is not."""

    def work(item):
        if item == 3:
            raise ValueError("three")
        return [item], []

    results = in_order(range(10), work, threads=4, ahead=8)
    assert [next(results) for _ in range(3)] == [[0], [1], [2]]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_whoever_stops_does_not_wait():
    """A listing of millions that nobody wants any more asks for nothing further."""
    begun: list[int] = []

    def work(item):
        begun.append(item)
        time.sleep(0.05)
        return [item], []

    results = in_order(range(1_000), work, threads=2, ahead=100)
    next(results)
    results.close()
    time.sleep(0.2)
    assert len(begun) <= 10
