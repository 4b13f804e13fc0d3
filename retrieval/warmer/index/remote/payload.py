"""Where the text, the title and the source are in payloads that somebody else wrote, each point by its own layout."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from warmer.index.paths import Payload, field_types, look_up, plain, text_at, without
from warmer.index.remote.origins import Origins, find_origins, read_headings
from warmer.index.remote.prose import is_label
from warmer.index.remote.texts import claimed, find_text, signed
from warmer.passage import embedded_text

__all__ = ["Layout", "Layouts", "field_types", "find_layouts", "look_up"]

_MOST = 4  # layouts of one collection
_NOTHING: tuple[Any, ...] = ("", None, [], {})
# What frameworks write for themselves.
_BOOKKEEPING = frozenset(
    {"nodecontent", "nodetype", "hash", "contenthash", "dochash", "segmenthash", "chunkhash", "textlemmatized"}
    | {"elementserialized", "blob", "dataframe", "embedding", "embeddings", "sparseembedding", "embeddingconfig"}
    | {"score", "pathsegments", "binaryhash", "vector", "vectorprovider", "vectorgenerator", "embeddingmodel", "dlmeta"}
)
_IDS = frozenset({"id", "docid", "documentid", "refdocid", "contentid", "nodeid", "elementid", "chunkid", "pointid"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths in a payload.

    Attributes:
        text: Of the text; empty where there is none.
        titles: Of titles, the first that is there counts.
        sources: Likewise, of sources.
        headings: Of headings that are one title together, outermost first.
    """

    text: str = ""
    titles: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()

    def title(self, payload: Payload) -> str:
        """Read the title."""
        return read_headings(payload, self.headings) or _first(payload, self.titles)[1]

    def read(self, payload: Payload, *, tidy: bool = False) -> dict[str, Any]:
        """Give `text`, `title` and `source`, always as strings, and the rest of what is stored.

        Args:
            payload: As stored.
            tidy: Whether nulls and what a framework keeps for itself are left out.
        """
        title, source = self.title(payload), _first(payload, self.sources)
        from_headings = bool(read_headings(payload, self.headings))
        shown = self.headings if from_headings else (_first(payload, self.titles)[0],)
        rest: dict[str, Any] = dict(payload)
        for path in (*shown, source[0], self.text):
            if path:
                rest = without(rest, path, json_too=path == self.text)
        return {
            **(_tidy(rest) if tidy else rest),
            "text": text_at(payload, self.text),
            "title": title or look_up(rest, "title"),
            "source": source[1] or look_up(rest, "source"),
        }


OWN = Layout("text", ("title",), ("source",))


@dataclass(frozen=True, slots=True)
class Layouts:
    """How the payloads of a collection are read: each by the first layout that finds a text in it.

    Attributes:
        known: Those of a sample, the most usual first.
        fixed: Whether no others are looked for, since these were given.
        keep: Whether what was read stays in the payload too, for somebody who finds texts elsewhere by any field.
    """

    known: tuple[Layout, ...] = (OWN,)
    fixed: bool = True
    keep: bool = False
    given: Origins = field(default_factory=Origins)

    @property
    def first(self) -> Layout:
        """The most usual layout."""
        return self.known[0] if self.known else Layout()

    def layout_of(self, payload: Payload) -> Layout:
        """Find the layout of a payload; one without a text where it has none."""
        for layout in self.known:
            if text_at(payload, layout.text):
                return layout
        if self.fixed or (claimed(payload) and not signed(payload)):
            return replace(self.first, text="")
        return _layout([payload], self.given)

    def text(self, payload: Payload) -> str:
        """Read the text, empty where there is none."""
        return text_at(payload, self.layout_of(payload).text)

    def passage(self, payload: Payload) -> str:
        """Read title and text as one."""
        layout = self.layout_of(payload)
        return embedded_text(layout.title(payload), text_at(payload, layout.text))

    def read(self, payload: Payload, *, tidy: bool = True) -> dict[str, Any]:
        """Give `text`, `title` and `source`, always as strings, and the rest of what is stored."""
        read = self.layout_of(payload).read(payload, tidy=tidy and not self.keep)
        return {**payload, **{name: read[name] for name in ("text", "title", "source")}} if self.keep else read

    def paths(self, name: str) -> tuple[str, ...]:
        """List where `text`, `title` or `source` may be, for filters."""
        many: dict[str, list[tuple[str, ...]]] = {
            "text": [(one.text,) for one in self.known],
            "title": [one.headings or one.titles for one in self.known],
            "source": [one.sources for one in self.known],
        }
        return tuple(dict.fromkeys(path for paths in many[name] for path in paths if path))


def find_layouts(payloads: Sequence[Payload], text: str = "", title: str = "", source: str = "") -> Layouts:
    """Find out what is not given, from some payloads.

    Those that a layout finds no text in are looked at again, by themselves.
    """
    given = Origins((title,) if title else (), (source,) if source else ())
    if text:
        found = find_origins(payloads, text)
        return Layouts((_given(Layout(text, found.titles, found.sources, found.headings), given),), fixed=True)
    known: list[tuple[int, Layout]] = []
    rest = [payload for payload in payloads if signed(payload) or not claimed(payload)] or list(payloads)
    while rest and len(known) < _MOST:
        layout = _layout(rest, given)
        left = [payload for payload in rest if not text_at(payload, layout.text)]
        if not layout.text or len(left) == len(rest):
            break
        read = [payload for payload in rest if text_at(payload, layout.text)]
        known.append((len(read), _layout(read, given)))
        rest = [payload for payload in left if signed(payload) or not claimed(payload)]
    known.sort(key=lambda one: -one[0])
    return Layouts(tuple(layout for _, layout in known), fixed=False, given=given)


def _layout(payloads: Sequence[Payload], given: Origins) -> Layout:
    text = find_text(payloads)
    found = find_origins(payloads, text) if text else Origins()
    return _given(Layout(text, found.titles, found.sources, found.headings), given)


def _given(layout: Layout, given: Origins) -> Layout:
    if given.titles:
        layout = replace(layout, titles=given.titles, headings=())
    return replace(layout, sources=given.sources) if given.sources else layout


def _first(payload: Payload, paths: Sequence[str]) -> tuple[str, str]:
    return next(((path, value) for path in paths if (value := look_up(payload, path))), ("", ""))


def _tidy(payload: Payload) -> dict[str, Any]:
    """Leave out nulls, and what a framework keeps for itself."""
    kept: dict[str, Any] = {}
    for name, value in payload.items():
        inner = _tidy(value) if isinstance(value, dict) else value
        own = plain(name) in _BOOKKEEPING or (plain(name) in _IDS and isinstance(value, str) and _is_id(value))
        if inner not in _NOTHING and not own:
            kept[name] = inner
    return kept


def _is_id(value: str) -> bool:
    return value == "None" or is_label(value)
