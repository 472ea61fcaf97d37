"""Puts a whole photo into a larger picture: a screenshot."""

import numpy as np

from training.edits.lettering import LIGHT, Colour, draw_text_lines, levels, write_line

TITLE_BAR: Colour = (40, 90, 160)
# The page's margins as a share of the photo's width; what stands above and below it as shares of its height.
MARGIN_SHARE = 0.08
ABOVE_SHARE = 0.3
BELOW_SHARE = 0.35


def embed_in_screenshot(photo: np.ndarray, *, title: str) -> np.ndarray:
    """Returns a page as a phone shows it: a title bar, lines of text, and the photo, unchanged, between them.

    Takes uint8 [height, width, 1 or 3]; the page is larger and has as many channels.
    """
    height, width, channels = photo.shape
    margin = max(1, round(width * MARGIN_SHARE))
    above, below = max(3, round(height * ABOVE_SHARE)), max(3, round(height * BELOW_SHARE))
    page = np.full((above + height + below, width + 2 * margin, channels), levels(LIGHT, channels), np.uint8)
    page[: above // 3] = levels(TITLE_BAR, channels)
    write_line(page, title, top=0, height=above // 3, left=margin, colour=LIGHT)
    draw_text_lines(page[above // 2 : above - above // 8, margin:-margin], lines=2)
    page[above : above + height, margin : margin + width] = photo
    draw_text_lines(page[above + height + below // 8 :, margin:-margin], lines=4)
    return page
