"""Lists the edits of the demo's queries, each as strong as one sees it on the web every day."""

from functools import partial

import numpy as np

from training.edits import degrade, embed, geometry, overlay, tone

# The names become those of the queries' files.
EDITS: dict[str, partial[np.ndarray]] = {
    "reencode": partial(degrade.reencode, quality=40),
    "resize": partial(geometry.resize, share=0.5),
    "brighten": partial(tone.brighten, factor=1.3),
    "overlay_caption": partial(overlay.overlay_caption, text="BREAKING: SEEN TODAY", share=0.14),
    "crop": partial(geometry.crop, share=0.8),
    "mirror": partial(geometry.mirror),
    "rotate": partial(geometry.rotate, degrees=10),
    "embed_in_screenshot": partial(embed.embed_in_screenshot, title="Have you seen this?"),
}
