"""Makes photos of any shape for hypothesis, grey and colour."""

import numpy as np
from hypothesis import strategies as st

from tests.training.edits.golden import made_photos


@st.composite
def photos(draw: st.DrawFn, *, smallest: int = 1, largest: int = 40) -> np.ndarray:
    """Draws uint8 [height, width, 1 or 3]: each side is drawn on its own, so that narrow photos occur as well."""
    height, width = draw(st.integers(smallest, largest)), draw(st.integers(smallest, largest))
    return made_photos(1, height, width, draw(st.sampled_from((1, 3))))[0]
