"""Titles in their shortest form: a heading path shortened, and said once for all hits of a section."""

from collections.abc import Iterable
from itertools import groupby

from warmer_tools.skim import ended

LIMIT = 60
INNERMOST = 100  # characters of the innermost heading, whose last words often decide
_CUT = "…"
_HEADING = 12  # characters of an outer heading that are worth showing
_INTO = " > "


def shorten_title(path: str, limit: int = LIMIT) -> str:
    """Shorten a path of headings: the innermost says most, then the outermost; those between give way first.

    Args:
        path: Headings, outermost first, joined by " > ".
        limit: The characters that it has, at most; an innermost heading that is longer stands alone, up to 100.
    """
    headings = [heading for heading, _ in groupby(" ".join(path.split()).split(_INTO))]
    for left_out in range(len(headings) - 1):
        inner = headings[1 + left_out :]
        short = _INTO.join([headings[0], *([_CUT] if left_out else []), *inner])
        if len(short) <= limit:
            return short
    last = ended(headings[-1], max(limit, INNERMOST))
    room = limit - len(_INTO) - len(last)
    return f"{ended(headings[0], room)}{_INTO}{last}" if len(headings) > 1 and room >= _HEADING else last


def share_titles(hits: Iterable[tuple[int, str, str]], limit: int = LIMIT) -> list[tuple[str, str]]:
    """Say title and source of the hits of a list, once a section: its later hits say "= hit 3", and no source.

    Args:
        hits: Number, source and full title of each.
        limit: The characters of a title, at most.
    """
    first: dict[tuple[str, str], int] = {}
    told = []
    for number, source, title in hits:
        short, same = shorten_title(title, limit), f"= hit {first.setdefault((source, title), number)}"
        again = first[source, title] != number and len(same) < len(short) + len(source)
        told.append((same, "") if again else (short, source))
    return told
