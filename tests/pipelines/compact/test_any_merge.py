"""Any merges of any segments: whatever they say of each other's contents, no answer changes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.store.files import Store
from foundation.store.segments import SegmentReference
from foundation.store.snapshots import read_snapshot
from pipelines.compact import job, merge_rows, merge_tables
from pipelines.compact.job import compact_all
from pipelines.index.plan import IndexOptions
from tests.builders import add_encoder, day
from tests.pipelines.compact.made_stores import CONTENTS, DIMENSION, add, answers, retract
from tests.segments import occurrence, publish_segments

A, B = "file:///a", "s3://b"

occurrences = st.builds(
    # Of one content, one generation of a photo says one thing, as runs do.
    lambda archive, number, generation: occurrence(
        f"{number}.jpg",
        archive,
        generation=generation,
        is_removed=hash((archive == A, number, generation)) % 3 == 0,
        published_at=day(generation),
        caption=f"{generation}",
    ),
    st.sampled_from([A, B]),
    st.integers(0, 2),
    st.integers(1, 4),
)
some = st.lists(occurrences, min_size=1, max_size=3)
# A content is held by the segment of a run that found it somewhere.
there = some.map(
    lambda found: [replace(one, generation=0, is_removed=False, published_at=day(0), caption="0") for one in found]
)
segments = st.fixed_dictionaries(
    {
        "rows": st.dictionaries(st.integers(0, CONTENTS - 1), there, max_size=5),
        "changes": st.dictionaries(st.integers(0, CONTENTS - 1), some, max_size=5),
        "features": st.booleans(),
    }
)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_merges_of_any_segments_change_no_answer(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    """Whatever segments say of each other's contents, whichever are merged, in whatever parts and blocks."""
    store = Store(tmp_path_factory.mktemp("store"), create=True)
    encoder_id = add_encoder(store, dimension=DIMENSION)
    made: list[SegmentReference] = []
    for number, one in enumerate(data.draw(st.lists(segments, min_size=1, max_size=5))):
        if one["rows"] or one["changes"]:
            features = one.pop("features") and bool(one["rows"])
            made.append(add(store, encoder_id, f"s{number}", one["rows"], changes=one["changes"], features=features))
    publish_segments(store, encoder_id, *made)
    for name in data.draw(st.sets(st.integers(0, CONTENTS - 1), max_size=2)):
        retract(store, name)
    before = answers(store)
    for _ in range(2):
        names = [one.segment_id for one in read_snapshot(store).segments]
        chosen = data.draw(st.sets(st.sampled_from(names), min_size=1)) if names else set()
        merge = [name for name in names if name in chosen]
        options = IndexOptions(max_segment_rows=data.draw(st.integers(1, CONTENTS)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job, "plan_all", lambda _, max_rows, merge=merge: [merge] if merge else [])
            patch.setattr(merge_tables, "BLOCK_CONTENTS", data.draw(st.integers(1, 5)))
            patch.setattr(merge_rows, "BLOCK_ROWS", data.draw(st.integers(1, 5)))
            compact_all(store, options=options)
        assert answers(store) == before
