"""Puts a photo into pages as phones, computers and newspapers show them: article, post, desktop, video player, print.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same type and channels, and gives the same
for the same parameters. A parameter out of its bounds raises UsageError. The photo is shown whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.lettering import Colour, levels
from training.edits.paint import blank, fill, filled, fit_channels, paste
from training.edits.writing import write, write_paragraph


@dataclass(frozen=True)
class Theme:
    """Colours and typeface of a page, and the words on it, which are repeated as often as there is room."""

    paper: Colour
    ink: Colour
    accent: Colour
    typeface: str
    words: str

    def sheet(self, height: int, width: int, channels: int) -> np.ndarray:
        """Returns an empty page."""
        return blank(height, width, channels, self.paper)

    def faint(self, share: float) -> Colour:
        """Returns a colour between the ink (0) and the paper (1)."""
        red, green, blue = (round(i + (p - i) * share) for i, p in zip(self.ink, self.paper, strict=True))
        return red, green, blue


def fill_text(area: np.ndarray, theme: Theme, *, line: int, share: float = 0) -> None:
    """Fills an area with the theme's words; `share` makes them fainter."""
    words = theme.words
    # A letter is hardly narrower than a seventh of its line.
    letters = 7 * (area.shape[1] // max(line, 1) + 1) * (area.shape[0] // max(line, 1) + 1)
    text = " ".join([words] * (letters // len(words) + 1))[:letters]
    ink = theme.faint(share)
    write_paragraph(area, text, line_height=line, paper=theme.paper, ink=ink, typeface=theme.typeface)


def in_article(photo: np.ndarray, *, theme: Theme, aspect: float, margin: float, down: float) -> np.ndarray:
    """Returns a phone's page: status bar, title bar, headline, the photo as wide as the page, text below it.

    The page is `aspect`, 1 to 3, times as high as wide, or as much as the photo needs; `margin`, 0 to 0.3, is beside
    the photo as a share of its width; `down`, 0 to 1, says how much of what is left stands above the photo.
    """
    require_range("aspect", aspect, 1, 3)
    require_range("margin", margin, 0, 0.3)
    require_range("down", down, 0, 1)
    height, width, channels = photo.shape
    edge = round(width * margin)
    page_width = width + 2 * edge
    line = max(3, page_width // 18)
    page_height = max(round(page_width * aspect), height + 10 * line)
    page = theme.sheet(page_height, page_width, channels)
    room = max(1, page_width // 20)
    write(page[line // 4 : line, room:-room], "12:45", colour=theme.ink)
    fill(page[round(1.2 * line) : 3 * line], theme.accent)
    write(
        page[round(1.5 * line) : round(2.7 * line), room:-room],
        theme.words[:16],
        colour=(250, 250, 250),
        typeface="bold",
    )
    top = round(5 * line + (page_height - height - 8 * line) * down)
    fill_text(page[round(3.5 * line) : top - line // 2, room:-room], theme, line=round(line * 1.5))
    page[top : top + height, edge : edge + width] = photo
    fill_text(page[top + height + line // 2 : page_height - line, room:-room], theme, line=line, share=0.2)
    return page


def in_post(photo: np.ndarray, *, theme: Theme, comments: int) -> np.ndarray:
    """Returns a post of a social network: picture of its author, name, text, the photo, hearts, 0 to 10 comments."""
    require_range("comments", comments, 0, 10)
    height, width, channels = photo.shape
    line = max(4, width // 16)
    page = theme.sheet(height + round(line * (6.5 + 2.5 * comments)), width, channels)
    _author(page[: 3 * line], theme, line)
    fill_text(page[3 * line : round(4.3 * line), line // 2 : -line // 2], theme, line=round(line * 1.1))
    top = round(4.5 * line)
    page[top : top + height] = photo
    below = top + height
    for number in range(3):
        centre = (line + number * 2 * line, below + line)
        cv2.circle(page, centre, round(line * 0.55), levels(theme.faint(0.1), channels), max(1, line // 7), cv2.LINE_AA)
    cv2.circle(page, (line, below + line), round(line * 0.4), levels(theme.accent, channels), -1, cv2.LINE_AA)
    for number in range(comments):
        _author(page[below + round(line * (2 + 2.5 * number)) :][: round(2.4 * line)], theme, round(line * 0.8))
    return page


def _author(area: np.ndarray, theme: Theme, line: int) -> None:
    """Draws a round picture, a bold name and a fainter line beside it."""
    cv2.circle(area, (round(1.5 * line), round(1.4 * line)), line, levels(theme.accent, area.shape[2]), -1, cv2.LINE_AA)
    beside = area[:, 3 * line : -line]
    first, _, rest = theme.words.partition(" ")
    write(beside[round(0.3 * line) : round(1.4 * line)], f"{first} {rest[:8]}", colour=theme.ink, typeface="bold")
    write(beside[round(1.5 * line) : round(2.4 * line)], rest[:40], colour=theme.faint(0.4), typeface=theme.typeface)


def in_desktop(
    photo: np.ndarray,
    *,
    theme: Theme,
    share: float,
    down: float,
    right: float,
    others: Sequence[np.ndarray],
    wallpaper: np.ndarray | None = None,
) -> np.ndarray:
    """Returns a computer's screen, 16:10, with the photo in a browser's page: tabs, address, text, side column.

    The photo takes `share`, 0.05 to 0.5, of the screen's width, less where it would be too high; `down` and
    `right`, 0 to 1, are its place on the page. Others stand small beside it; a wallpaper shows around the window.
    """
    require_range("share", share, 0.05, 0.5)
    require_range("down", down, 0, 1)
    require_range("right", right, 0, 1)
    height, width, channels = photo.shape
    screen_width = max(round(width / share), round(height / 0.6 * 1.6))
    screen_height = round(screen_width / 1.6)
    line = max(3, screen_width // 70)
    screen = theme.sheet(screen_height, screen_width, channels)
    window, side = screen, 0
    if wallpaper is not None:
        screen[:] = filled(fit_channels(wallpaper, channels), screen_height, screen_width)
        side = screen_width // 25
        window = screen[side : screen_height - 3 * line, side : screen_width - side]
        fill(window, theme.paper)
    _browser_bars(window, theme, line)
    fill(screen[screen_height - 2 * line :], (35, 38, 45))
    write(screen[screen_height - round(1.6 * line) :, -8 * line :], "12:45", colour=(240, 240, 240))
    _web_page(
        window[5 * line : (None if side else -2 * line), 2 * line : -2 * line],
        photo,
        theme,
        line,
        (down, right),
        others,
    )
    return screen


def _browser_bars(window: np.ndarray, theme: Theme, line: int) -> None:
    """Draws tabs and the address of a page."""
    fill(window[: 2 * line], theme.faint(0.75))
    fill(window[line // 3 : 2 * line, line : 12 * line], theme.paper)
    write(window[line // 2 : 2 * line, 2 * line : 11 * line], theme.words[:14], colour=theme.ink)
    fill(window[2 * line : 4 * line], theme.faint(0.92))
    write(
        window[round(2.4 * line) : round(3.6 * line), 4 * line :],
        "www.example.org/" + theme.words[:9],
        colour=theme.faint(0.3),
    )


def _web_page(
    page: np.ndarray,
    photo: np.ndarray,
    theme: Theme,
    line: int,
    place: tuple[float, float],
    others: Sequence[np.ndarray],
) -> None:
    """Draws a headline, text above and below the photo, and a column of other photos and text on its emptier side."""
    height, width = photo.shape[:2]
    write(page[: 3 * line], theme.words[:40], colour=theme.ink, typeface="bold")
    top = 4 * line + round(max(0, page.shape[0] - height - 6 * line) * place[0])
    left = round((page.shape[1] - width) * place[1])
    for rows in (slice(4 * line, max(4 * line, top - line // 2)), slice(top + height + line // 2, None)):
        fill_text(page[rows, left : left + width], theme, line=round(line * 1.2), share=0.2)
    paste(page, photo, top=top, left=left)
    beside = page[4 * line :, left + width + line :] if place[1] < 0.5 else page[4 * line :, : max(0, left - line)]
    below, side = 0, beside.shape[1] // 4
    for other in others:
        if side and below + side <= beside.shape[0]:
            paste(beside, filled(fit_channels(other, page.shape[2]), side * 3 // 4, side), top=below, left=0)
            fill_text(beside[below : below + side * 3 // 4, side + line :], theme, line=round(line * 1.2))
            below += side
    fill_text(beside[below:], theme, line=round(line * 1.2), share=0.3)


def in_player(photo: np.ndarray, *, accent: Colour, played: float, title: str, is_paused: bool) -> np.ndarray:
    """Returns the photo as a frame of a 16:9 video: bars, controls, 0 to 1 of it played, perhaps a button."""
    require_range("played", played, 0, 1)
    height, width, channels = photo.shape
    box_height, box_width = max(height, round(width * 9 / 16)), max(width, round(height * 16 / 9))
    frame = np.zeros((box_height, box_width, channels), np.uint8)
    top, left = (box_height - height) // 2, (box_width - width) // 2
    frame[top : top + height, left : left + width] = photo
    line = max(2, box_height // 20)
    for shaded in (frame[: 2 * line], frame[-2 * line :]):
        shaded[:] = shaded // 3
    write(frame[line // 2 : 2 * line, line:], title, colour=(245, 245, 245))
    write(frame[-line:, line:], "0:42 / 3:17", colour=(235, 235, 235))
    bar = frame[box_height - round(1.4 * line) :, line:-line][: max(1, line // 5)]
    bar[:] = 120
    fill(bar[:, : round(bar.shape[1] * played)], accent)
    if is_paused:
        _play_button(frame, accent)
    return frame


def _play_button(frame: np.ndarray, accent: Colour) -> None:
    height, width, channels = frame.shape
    size, x, y = max(2, min(height, width) // 8), width // 2, height // 2
    cv2.circle(frame, (x, y), size, levels(accent, channels), -1, cv2.LINE_AA)
    triangle = np.array([(x - size // 3, y - size // 2), (x - size // 3, y + size // 2), (x + size // 2, y)])
    cv2.fillPoly(frame, [triangle], levels((250, 250, 250), channels), cv2.LINE_AA)


def in_newspaper(photo: np.ndarray, *, theme: Theme, columns: int, share: float) -> np.ndarray:
    """Returns a printed page: a headline, 2 to 5 columns of text, the photo across `share`, 0.3 to 1, of its width."""
    require_range("columns", columns, 2, 5)
    require_range("share", share, 0.3, 1)
    height, width, channels = photo.shape
    room = max(1, width // 25)
    page_width = round(width / share) + 2 * room
    line = max(3, page_width // 40)
    page = theme.sheet(height + page_width // 2 + 5 * line, page_width, channels)
    write(page[line : 4 * line, room:-room], theme.words[:32], colour=theme.ink, typeface="heavy", across=0.5)
    text = page[5 * line : -room]
    column = (page_width - room) // columns
    for number in range(columns):
        left = room + number * column
        top = height + line if left < room + width else 0
        fill_text(text[top:, left : left + column - room], theme, line=line)
    text[:height, room : room + width] = photo
    return page


def in_search_results(
    photo: np.ndarray, *, theme: Theme, others: Sequence[np.ndarray], rows: int, place: int, share: float
) -> np.ndarray:
    """Returns a list of search results or messages, 2 to 8 rows of text with a photo each, the photo in row `place`.

    The photo takes `share`, 0.1 to 0.6, of the page's width. The other rows show the others in turn, or grey boxes.
    """
    require_range("rows", rows, 2, 8)
    require_range("place", place, 0, rows - 1)
    require_range("share", share, 0.1, 0.6)
    height, width, channels = photo.shape
    row_height = height + max(2, height // 5)
    page = theme.sheet(rows * row_height, round(width / share), channels)
    line = max(3, min(row_height // 5, page.shape[1] // 20))
    grey_box = blank(1, 1, channels, theme.faint(0.8))
    for row in range(rows):
        area = page[row * row_height + row_height // 12 : (row + 1) * row_height - row_height // 12]
        other = fit_channels(others[row % len(others)], channels) if len(others) else grey_box
        paste(area, photo if row == place else filled(other, height, width), top=0, left=width // 10)
        beside = area[:, width + width // 5 :]
        title = " ".join(theme.words.split()[row : row + 4])
        write(beside[: line * 5 // 4], title, colour=theme.accent, typeface="bold")
        fill_text(beside[line * 3 // 2 :], theme, line=line, share=0.3)
    return page
