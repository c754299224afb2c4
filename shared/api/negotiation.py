"""The choice among the media types of an answer, by the request's header Accept (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence
from functools import lru_cache

from shared.problems import NotAcceptable

MAX_ACCEPT = 1000
"""Characters; what browsers send has some 150. A choice."""
_RANGE = re.compile(
    r"\s*(?P<type>[!#$%&'*+.^_`|~0-9a-z-]+)/(?P<subtype>[!#$%&'*+.^_`|~0-9a-z-]+)\s*(?P<parameters>(;[^,]*)?)",
    re.IGNORECASE,
)
_QUALITY = re.compile(r";\s*q\s*=\s*(0(\.\d{0,3})?|1(\.0{0,3})?)\s*(;|$)", re.IGNORECASE)
_SOME_QUALITY = re.compile(r";\s*q\s*=", re.IGNORECASE)


@lru_cache(maxsize=256)
def preferred_type(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type that a request wants most; the first one where it does not say.

    Of types that it wants equally, the one that it names more exactly, then the one that it names first. Raises
    NotAcceptable where it wants none of them.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = _ranges(accept)
    wanted: list[tuple[float, int, int, int, str]] = []
    for place, media_type in enumerate(offered):
        matching = [match for match in ranges if _specificity(match[0], media_type) is not None]
        if not matching:
            continue
        # the most exact range that matches a type decides on it
        name, quality, order = max(matching, key=lambda match: _specificity(match[0], media_type) or 0)
        if quality > 0:
            wanted.append((quality, _specificity(name, media_type) or 0, -order, -place, media_type))
    if not wanted:
        raise NotAcceptable(f"This list is handed out as {', '.join(offered)}; Accept names none of them.")
    return max(wanted)[-1]


def _ranges(accept: str) -> list[tuple[str, float, int]]:
    """The media ranges of the header in lower case, each with its quality and its place; the rest is ignored."""
    ranges = []
    for order, part in enumerate(accept[:MAX_ACCEPT].split(",")):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            continue
        parameters = match["parameters"]
        quality = _QUALITY.search(parameters)
        if quality is None and _SOME_QUALITY.search(parameters):
            continue
        name = f"{match['type']}/{match['subtype']}".lower()
        ranges.append((name, float(quality[1]) if quality else 1.0, order))
    return ranges


def _specificity(media_range: str, media_type: str) -> int | None:
    """2 for the type itself, 1 for its family (`text/*`), 0 for every type, None for another one."""
    if media_range == media_type:
        return 2
    if media_range == "*/*":
        return 0
    return 1 if media_range == f"{media_type.partition('/')[0]}/*" else None
