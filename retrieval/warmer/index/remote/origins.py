"""Where the title and the source of a text are: beside it, or directly in its metadata.

An author's name is no title, and her home page no source: other objects are not entered, but for those that are the
document itself.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from warmer.index.paths import Payload, in_json, json_object, look_up, plain, under, value_at
from warmer.index.remote.prose import is_address, is_label
from warmer.index.remote.texts import containers

_TITLES = (
    *("title", "pagetitle", "documenttitle", "doctitle", "sectiontitle", "heading", "headline", "header", "subject"),
    *("section", "sectionname", "question", "documentname", "docname", "docnmkwd", "referencedescription", "name"),
)
_SOURCES = (
    *("source", "url", "uri", "link", "href", "sourceurl", "sourceuri", "pageurl", "weburl", "documenturl", "docurl"),
    *("documenturi", "permalink", "referencelink", "sourcelink", "filepath", "sourcepath", "relativepath", "relpath"),
    *("documentpath", "docpath", "path", "filename", "sourcefile", "sourcename", "file", "externalsourcename"),
    *("documentname", "docname", "docnmkwd", "chunksource", "document", "doc", "filedirectory"),
)
_DOCUMENTS = frozenset({"document", "doc", "file", "source", "origin", "article", "page", "dlmeta", "payload"})
_HEADER = re.compile(r"(?:header|heading|h)[ _-]?([1-6])", re.IGNORECASE)
_INTO = " > "


@dataclass(frozen=True, slots=True)
class Origins:
    """Paths of titles and sources, the best first; `headings` are joined to one title, outermost first."""

    titles: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Values:
    """The strings that the payloads of a sample have at a path."""

    rank: tuple[int, int]
    seen: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> int:
        return sum(map(is_address, self.seen))


def find_origins(payloads: Sequence[Payload], text: str) -> Origins:
    """Find titles and sources of a text in payloads that are alike."""
    scopes = _scopes(payloads, text)
    sources = _candidates(payloads, scopes, _SOURCES, text)
    titles = _candidates(payloads, scopes, _TITLES, text)
    told = _telling(sources)
    left = {path: values for path, values in titles.items() if path not in told}
    files = {path for path, values in left.items() if all(map(is_label, values.seen))}
    return Origins(
        tuple(sorted(left, key=lambda path: (path in files, left[path].rank))),
        tuple(told),
        _headings(payloads, scopes),
    )


def read_headings(payload: Payload, paths: Sequence[str]) -> str:
    """Join the headings at some paths: strings, lists of them, or one path of them."""
    found: list[str] = []
    for path in paths:
        value = value_at(payload, path)
        several = (
            value
            if isinstance(value, list)
            else str(value or "").strip("/").split("/")
            if path.endswith("header_path")
            else [value]
        )
        found += [one.strip() for one in several if isinstance(one, str) and one.strip()]
    return _INTO.join(found)


def _scopes(payloads: Sequence[Payload], text: str) -> list[str]:
    """List where titles and sources are looked for, what filters can look into first."""
    near = containers(payloads, text)
    documents = dict.fromkeys(
        under(outer, name)
        for outer in near
        for payload in payloads
        for name in _names(payload, outer)
        if plain(name) in _DOCUMENTS and json_object(value_at(payload, under(outer, name))) is not None
    )
    docling = [one for one in documents if plain(one.rpartition(".")[2]) == "dlmeta"]
    inner = [under(one, name) for one in docling for name in ("origin", "meta", "meta.origin")]
    every = list(dict.fromkeys([*near, *documents, *inner]))
    return sorted(every, key=lambda path: bool(path) and _opaque(payloads, path))


def _opaque(payloads: Sequence[Payload], path: str) -> bool:
    return in_json(payloads, path) or any(isinstance(value_at(payload, path), str) for payload in payloads)


def _names(payload: Payload, path: str) -> Iterator[str]:
    inner = payload if not path else json_object(value_at(payload, path))
    yield from inner or ()


def _candidates(
    payloads: Sequence[Payload], scopes: Sequence[str], names: Sequence[str], text: str
) -> dict[str, _Values]:
    ranks = {name: rank for rank, name in enumerate(names)}
    found: dict[str, _Values] = {}
    for place, scope in enumerate(scopes):
        for payload in payloads:
            for name in _names(payload, scope):
                path = under(scope, name)
                value = look_up(payload, path) if path != text and plain(name) in ranks else ""
                if value and json_object(value) is None:
                    found.setdefault(path, _Values((ranks[plain(name)], place))).seen.append(value)
    return found


def _telling(candidates: dict[str, _Values]) -> list[str]:
    """Order sources; leave out those that say nothing, such as "blob" of every point, where others say something."""
    varied = [path for path, values in candidates.items() if len(set(values.seen)) > 1]
    addressed = [path for path, values in candidates.items() if values.addresses]

    def dull(path: str) -> bool:
        values = candidates[path]
        same = len(set(values.seen)) == 1
        return (same and len(values.seen) > 1 and any(other != path for other in varied)) or (
            not values.addresses and any(other != path for other in addressed)
        )

    ordered = sorted(candidates, key=lambda path: candidates[path].rank)
    return [path for path in ordered if not dull(path)] or ordered[:1]


def _headings(payloads: Sequence[Payload], scopes: Sequence[str]) -> tuple[str, ...]:
    """Find headings that are kept one by one, as `Header 1`, as a list, or as a path of them."""
    for scope in scopes:
        names = dict.fromkeys(name for payload in payloads for name in _names(payload, scope))
        levels = sorted((int(level[1]), name) for name in names if (level := _HEADER.fullmatch(name)))
        if levels:
            return tuple(under(scope, name) for _, name in levels)
        for name in names:
            several = plain(name) in {"headings", "headers", "headerpath", "headingpath", "breadcrumbs", "breadcrumb"}
            path = under(scope, name)
            if several and any(read_headings(payload, [path]) for payload in payloads):
                return (path,)
    return ()
