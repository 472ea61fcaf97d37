"""Words what several faces tell people: numbers with their nouns, and names of strangers made harmless."""


def number_of(count: int, one: str, many: str = "") -> str:
    """Returns a number with its noun: `1 query`, `1,024 queries`; `many` is the noun with an s unless it is given."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def spelled_out(text: str) -> str:
    """Returns text in which codes that a terminal would obey are spelled out: a file name may hold any."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
