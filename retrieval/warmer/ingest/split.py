"""Split sections into passages short enough for an agent to read and for the model to embed.

Code stays whole with the sentence that introduces it. Where it does not fit it is split at blank lines, and each part
has the fence and the introduction; each part of a table has the header.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from semantic_text_splitter import TextSplitter

from warmer.ingest.blocks import Block, Kind, content, find_blocks, is_item
from warmer.ingest.files import replace_surrogates
from warmer.ingest.noise import is_markup, says_nothing
from warmer.ingest.section import Section
from warmer.passage import Passage, Window, embedded_text

_SAFETY_FACTOR = 0.9  # tokens are not spread evenly over a text
_SPECIAL_TOKENS = 8  # more than any tokenizer adds
_SENTENCE_END = re.compile(r"(?<=[^\W_][.!?:])\s+(?=\S)|\n\n")
_LABEL = re.compile(r"[*_]{0,2}[\w ]{1,40}:[*_]{0,2}")
_INTRODUCES = re.compile(r":[*_\"')\]]*\s*\Z")
_SHORT = 60  # characters of a row that can be a label of what follows, as "- [bug] [mysql]" in a log of changes
_INTRODUCTION = 3  # an introduction, or what each part repeats, takes at most a third of a passage

Rows = tuple[str, ...]
Part = tuple[int, Rows]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or a part of one; `glued` to the one before it, after `gap` blank rows.

    It begins at `row`, and its body at `body_row`: what a part repeats of the head stands elsewhere.
    """

    kind: Kind
    row: int
    body_row: int
    head: Rows
    body: Rows
    tail: Rows
    gap: int = 1
    glued: bool = False

    @property
    def text(self) -> str:
        return "\n".join((*self.head, *self.body, *self.tail))


def split(sections: Iterable[Section], source: str, limit: int, window: Window | None = None) -> Iterator[Passage]:
    """Split sections into passages; those that say nothing are dropped.

    Args:
        sections: The sections.
        source: Name of the document.
        limit: Maximum characters of a passage's text.
        window: The embedding model's window; a passage that exceeds it, with its title, is split further.
    """
    for section in sections:
        title = _shorten_title(section.title, window) if window else section.title
        for row, text in _texts(section, limit, title, window):
            if not says_nothing(text):
                yield Passage(text.rstrip(), title, source, section.lines[row], section.url, section.page, section.tags)


def _texts(section: Section, limit: int, title: str, window: Window | None) -> Iterator[tuple[int, str]]:
    """Yield the first row and the text of each passage; each has the section's head, if that is not too long."""
    rows = replace_surrogates(section.text).split("\n")
    whole = "\n".join(rows)
    head = "\n".join(rows[: section.head])
    is_long = len(head) * _INTRODUCTION > limit or len(whole) <= limit
    if is_long or (window and window.count_tokens(head) * _INTRODUCTION > window.max_tokens):
        head = ""
    if not head:
        yield from _split_to_window(_pieces(rows), limit, title, window)
        return
    around = embedded_text(title, head)
    for row, text in _split_to_window(_pieces(rows[section.head :]), limit - len(head) - 1, around, window):
        yield row + section.head if row else 0, f"{head}\n{text}"


def _pieces(rows: Sequence[str]) -> list[_Piece]:
    """Return the pieces of a text; a label at its end, with nothing below it, is none."""
    pieces = list(_all_pieces(rows))
    while len(pieces) > 1 and pieces[-1].kind == "text" and _LABEL.fullmatch(pieces[-1].text.strip()):
        pieces.pop()
    return pieces


def _all_pieces(rows: Sequence[str]) -> Iterator[_Piece]:
    end = 0
    for block in find_blocks(rows):
        code = "\n".join(block.body) if block.kind == "code" else ""
        if not is_markup("\n".join((*block.head, *block.body)), code):
            inner = content(block)
            if inner is None:
                yield from _items(_piece(block, int(block.row > end)))
            else:
                for piece in _all_pieces(inner):
                    yield replace(piece, row=block.row + piece.row, body_row=block.row + piece.body_row)
        end = block.end


def _items(piece: _Piece) -> Iterator[_Piece]:
    """Yield the outermost items of a list as pieces without a blank row between; other pieces as they are."""
    rows = piece.body
    for begin, end in pairwise([0, *_outermost(rows), len(rows)] if piece.kind == "text" else []):
        row = piece.row + begin
        yield replace(piece, row=row, body_row=row, body=rows[begin:end], gap=0 if begin else piece.gap)
    if piece.kind != "text":
        yield piece


def _outermost(rows: Sequence[str]) -> list[int]:
    """Return the rows below the first at which the outermost items of a list begin."""
    items = [(len(row) - len(row.lstrip()), at) for at, row in enumerate(rows) if at and is_item(row)]
    return [at for indent, at in items if indent == min(items)[0]]


def _piece(block: Block, gap: int) -> _Piece:
    return _Piece(block.kind, block.row, block.row + len(block.head), block.head, block.body, block.tail, gap)


def _split_to_window(
    pieces: Sequence[_Piece], limit: int, title: str, window: Window | None
) -> Iterator[tuple[int, str]]:
    """Yield the first row and the text of each passage."""
    for passage in _fill(_fit(pieces, limit), limit):
        text = _join(passage)
        whole = embedded_text(title, text)
        if window is None or _is_short(whole, window.max_tokens) or len(text) == 1:
            yield passage[0].row, text
            continue
        tokens = window.count_tokens(whole)
        if tokens <= window.max_tokens:
            yield passage[0].row, text
            continue
        title_tokens = window.count_tokens(title)
        fraction = (window.max_tokens - title_tokens) / max(tokens - title_tokens, 1)
        smaller = max(1, int(_SAFETY_FACTOR * fraction * len(text)))
        yield from _split_to_window(passage, min(smaller, limit - 1, len(text) - 1), title, window)


def _fill(pieces: Iterable[_Piece], limit: int) -> Iterator[list[_Piece]]:
    """Group pieces into passages, as many as fit; what introduces the next piece goes with it."""
    passage: list[_Piece] = []
    for piece in pieces:
        if passage and len(_join([*passage, piece])) > limit:
            start = _start_of_next(passage, piece, limit)
            yield passage[:start]
            passage = passage[start:]
        passage.append(piece)
    if passage:
        yield passage


def _start_of_next(passage: Sequence[_Piece], piece: _Piece, limit: int) -> int:
    """Return from which piece on a passage should go with the next piece: what introduces it, or an item around it."""
    begin, start = len(passage), len(passage)
    while begin > 1 and len(_join([*passage[begin - 1 :], piece])) <= limit:
        begin -= 1
        following = passage[begin + 1] if begin + 1 < len(passage) else piece
        if start == begin + 1 and _leads_to(passage[begin], following):
            start = begin
        elif _indent(passage[begin]) < _indent(following) and is_item(passage[begin].text):
            return begin
    return start


def _leads_to(piece: _Piece, following: _Piece) -> bool:
    is_introduction = following.glued or bool(_INTRODUCES.search(piece.text.rstrip()))
    return piece.kind == "text" and (is_introduction or _is_label(piece, following))


def _is_label(piece: _Piece, following: _Piece) -> bool:
    text = piece.text.rstrip()
    is_short = len(text) <= _SHORT and "\n" not in text
    return piece.kind == "text" and following.gap > 0 and is_short and text[-1:] not in {*".!?…。"}


def _indent(piece: _Piece) -> int:
    first = (*piece.head, *piece.body, "")[0]
    return len(first) - len(first.lstrip())


def _join(pieces: Sequence[_Piece]) -> str:
    rest = ("\n" * (1 + piece.gap) + piece.text for piece in pieces[1:])
    return pieces[0].text + "".join(rest)


def _fit(pieces: Iterable[_Piece], limit: int) -> list[_Piece]:
    """Split the pieces that are too long, and join code to its introduction."""
    fitting: list[_Piece] = []
    for piece in pieces:
        before = fitting[-1] if fitting else None
        if piece.kind == "code" and before and before.kind == "text":
            if len(_join([before, piece])) <= limit:
                fitting.append(replace(piece, glued=True))
                continue
            piece = _introduced(fitting, piece, limit)  # noqa: PLW2901
        room = limit
        if before and piece.kind == "text" and _is_label(before, piece):  # which should not end a passage
            room -= len(before.text) + 1 + piece.gap
            room = room if room * _INTRODUCTION > 2 * limit else limit
        fitting += [piece] if len(piece.text) <= room else _parts(piece, room)
    return fitting


def _introduced(fitting: list[_Piece], code: _Piece, limit: int) -> _Piece:
    """Move the last sentence of the piece before code into the head of the code, if it is not too long."""
    before = fitting[-1]
    text = before.text
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    start = 0 if len(text) * _INTRODUCTION <= limit else max(ends, default=0)
    sentence = text[start:]
    if len(sentence) * _INTRODUCTION > limit:
        return code
    fitting.pop()
    if rest := text[:start].rstrip():
        fitting.append(replace(before, body=tuple(rest.split("\n"))))
    head = (*sentence.split("\n"), *[""] * code.gap, *code.head)
    return replace(code, head=head, row=before.row + text.count("\n", 0, start), gap=1)


def _parts(piece: _Piece, limit: int) -> list[_Piece]:
    """Split a piece that is too long."""
    around = sum(len(row) + 1 for row in (*piece.head, *piece.tail))
    room = limit - around
    if piece.kind == "text" or not piece.body:
        return _text_parts(piece, limit)
    if room * _INTRODUCTION < limit:  # what is repeated leaves too little room: without the introduction, or bare
        fence = piece.head[-1:] if piece.tail and len(piece.head) > 1 else ()
        bare = replace(piece, row=piece.body_row - len(fence), head=fence, tail=piece.tail if fence else ())
        introduction = piece.head[: -len(piece.tail) or None]
        apart = replace(piece, kind="text", body=introduction, head=(), tail=(), body_row=piece.row)
        return [
            *(_text_parts(apart, limit) if introduction else []),
            *(_parts(bare, limit) if piece.head else _text_parts(bare, limit)),
        ]
    if piece.kind == "directive":
        parts = [(row, tuple(text.split("\n"))) for row, text in _split_to_window(_pieces(piece.body), room, "", None)]
    else:
        parts = list(_row_parts(piece.body, room, by_blank=piece.kind == "code"))
    rows = ((piece.body_row + row, body) for row, body in parts)
    made = [replace(piece, row=row, body_row=row, body=body, gap=1, glued=False) for row, body in rows]
    if not made:
        return []
    return [replace(made[0], row=piece.row if piece.head else made[0].row, gap=piece.gap), *made[1:]]


def _text_parts(piece: _Piece, limit: int) -> list[_Piece]:
    """Split at the best boundaries: paragraphs, then lines, sentences, words, characters."""
    return [
        _Piece("text", piece.row + row, piece.row + row, (), tuple(part.split("\n")), ())
        for row, part in _item_parts(piece.text.split("\n"), limit)
    ]


def _item_parts(rows: Sequence[str], limit: int) -> Iterator[tuple[int, str]]:
    """Split a list at its outermost items; what is no list, or too long an item, at the best boundaries."""
    items = _outermost(rows)
    if not items:
        yield from _split_text("\n".join(rows), TextSplitter(limit), limit)
        return
    begin = 0
    for end, following in pairwise([*items, len(rows), None]):
        if following and len("\n".join(rows[begin:following])) <= limit:
            continue
        text = "\n".join(rows[begin:end])
        parts = [(0, text)] if len(text) <= limit else _item_parts(rows[begin:end], limit)
        yield from ((begin + row, part) for row, part in parts)
        begin = end or 0


def _row_parts(rows: Rows, room: int, *, by_blank: bool) -> Iterator[Part]:
    """Group rows into parts of at most `room` characters, at blank rows if possible."""
    part: list[str] = []
    begin = 0
    for at, group in _groups(rows, room, by_blank=by_blank):
        if part and sum(len(row) + 1 for row in (*part, *group)) - 1 > room:
            yield begin, _without_blank_end(part)
            part = []
        begin = at if not part else begin
        part += group if part or group != [""] else []
    if any(row.strip() for row in part):
        yield begin, _without_blank_end(part)


def _groups(rows: Rows, room: int, *, by_blank: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield rows that should stay together: those up to a blank one, or single ones, cut where they are too long."""
    begin = 0
    for end in [*(row for row, text in enumerate(rows) if by_blank and not text.strip()), len(rows)]:
        group = list(rows[begin:end])
        if by_blank and sum(len(row) + 1 for row in group) - 1 <= room:
            if group:
                yield begin, group
        else:
            yield from _smaller_groups(group, begin, room, by_prompt=by_blank)
        if end < len(rows):
            yield end, [""]
        begin = end + 1


def _smaller_groups(rows: list[str], begin: int, room: int, *, by_prompt: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield what a prompt begins, as in a doctest, if it is not too long; or else single rows."""
    prompts = [at for at, row in enumerate(rows) if at and row.lstrip().startswith(">>> ")] if by_prompt else []
    for start, end in pairwise([0, *prompts, len(rows)]) if prompts else []:
        if sum(len(row) + 1 for row in rows[start:end]) - 1 <= room:
            yield begin + start, rows[start:end]
        else:
            yield from _smaller_groups(rows[start:end], begin + start, room, by_prompt=False)
    for row, text in enumerate([] if prompts else rows, start=begin):
        yield from ((row, [text[at : at + room]]) for at in range(0, max(len(text), 1), room))


def _without_blank_end(rows: Sequence[str]) -> Rows:
    end = len(rows)
    while end and not rows[end - 1].strip():
        end -= 1
    return tuple(rows[:end])


def _split_text(text: str, splitter: TextSplitter, limit: int) -> Iterator[tuple[int, str]]:
    """Split a text of any length into pairs: index of the first line, piece."""
    row = 0
    for block in _presplit(text, 10 * limit):
        at = 0
        for start, piece in splitter.chunk_indices(block):
            row += block.count("\n", at, start)
            at = start
            if piece.strip():
                indented = _indentation(block, start) + piece
                yield row, indented if len(indented) <= limit else piece
        row += block.count("\n", at)


def _is_short(text: str, tokens: int) -> bool:
    """Tell whether a text fits for certain, without counting: a token of ASCII has a character at least."""
    return len(text) + _SPECIAL_TOKENS <= tokens and text.isascii()


def _shorten_title(title: str, window: Window) -> str:
    """Drop the outer headings of a title that takes more than half of the window."""
    most = window.max_tokens // 2
    while not _is_short(title, most) and window.count_tokens(title) > most:
        title = title.partition(" > ")[2] or title[: len(title) // 2]
    return title


def _indentation(text: str, start: int) -> str:
    """Return the indentation that the splitter trimmed, so that a code block's first line stays aligned."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return "" if before.strip() else before


def _presplit(text: str, size: int) -> Iterator[str]:
    """Cut a long text into blocks; the splitter takes minutes for a million characters without a break."""
    some = rf"[\s\S]{{1,{size - 2}}}"
    return (match[0] for match in re.finditer(rf"{some}(?:\n\n|\Z)|{some}\n|{some}\s|{some}", text))
