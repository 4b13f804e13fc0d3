"""Which field of a payload is its text: as known frameworks write it, else by its name, else by how it reads."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from warmer.index.paths import Payload, joined_text, json_object, leaves, plain, text_at, under, value_at
from warmer.index.remote.prose import mostly_labels, prose

# Names that a payload has, and where its text is then, the first that is there.
_SIGNATURES: Sequence[tuple[frozenset[str], Sequence[str]]] = [
    (frozenset(names), paths)
    for names, paths in (
        (("_node_content", "_node_type"), ("_node_content.text", "_node_content.text_resource.text", "text")),
        (("codeChunk", "filePath"), ("codeChunk",)),  # Roo Code, Kilo Code
        (("data", "hash"), ("data",)),  # mem0
        (("question", "sql"), ("sql",)),  # Vanna
        (("question", "answer"), ("answer",)),
        (("payload", "tags"), ("payload.text",)),  # Kernel Memory
        (("artifact", "meta"), ("artifact.value",)),  # Griptape
        (("artifact",), ("artifact.value",)),
        (("text", "element_serialized"), ("text",)),  # Unstructured
        (("document", "embedded_text"), ("embedded_text",)),  # Rig
    )
]
_NAMES = (
    *("text", "pagecontent", "content", "document", "textsegment", "doccontent", "codechunk", "chunktext"),
    *("chunkcontent", "textchunk", "textcontent", "contentwithweight", "chunk", "body", "bodytext", "passage"),
    *("passagetext", "paragraph", "snippet", "rawtext", "fulltext", "originaltext", "plaintext", "markdown"),
    *(
        "embeddedtext",
        "chromadocument",
        "memory",
        "fact",
        "transcript",
        "documentation",
        "ddl",
        "sql",
        "code",
        "message",
        "answer",
    ),
    *("chunks", "texts", "contents", "documents", "passages", "paragraphs", "sentences", "pages", "messages"),
)
_RANKS = {name: rank for rank, name in enumerate(_NAMES)}
METADATA = frozenset(
    {"metadata", "meta", "cmetadata", "docmetadata", "documentmetadata", "chunkmetadata", "extrainfo", "extra"}
    | {"attributes", "attrs", "properties", "props", "additionalmetadata", "info", "frontmatter"}
)
# What is never a text, however it reads.
_CLOSED = frozenset(
    {"textlemmatized", "elementserialized", "dlmeta", "relationships", "embeddingconfig", "embedding", "embeddings"}
    | {
        "vector",
        "vectors",
        "sparsevector",
        "sparseembedding",
        "pdf",
        "loc",
        "blob",
        "dataframe",
        "image",
        "imagebase64",
    }
    | {"image", "imagebase64", "author", "authors", "creator", "publisher", "user", "username", "owner"}
    | {"language", "languages", "license", "address", "location", "keywords", "tags", "tag", "categories", "category"}
)
_BESIDE = frozenset({"title", "name", "heading", "headings", "headline", "subject", "section", "question", "caption"})
_SPOKEN_ITEM = 4.0  # words of each string in a list that is a text


def find_text(payloads: Sequence[Payload]) -> str:
    """Find the path of the text in payloads that are alike; empty where nothing reads like one.

    A known framework's own field comes first, then a field of a usual name, which is a text even if it parses as JSON.
    JSON is entered where there is none. Otherwise it is the field that reads most like prose. A field is looked for in
    half of the payloads, if anything is in so many.
    """
    known = Counter(path for payload in payloads if (path := signed(payload)))
    if known:
        return known.most_common(1)[0][0]
    for parse in (False, True):
        if named := _named(_common(payloads, parse=parse), most=len(payloads)):
            return named
    fields = _common(payloads, parse=True)
    rank = {path: (_last(path) not in _BESIDE, prose(texts)) for path, texts in fields.items() if prose(texts)}
    return max(rank, key=lambda path: (rank[path], path), default="")


def text_fields(payloads: Sequence[Payload]) -> list[str]:
    """List the paths of all fields that read like texts, the longest first."""
    fields = {path: prose(texts) for path, texts in _common(payloads, parse=True).items()}
    return sorted((path for path, words in fields.items() if words), key=lambda path: (-fields[path], path))


def signed(payload: Payload) -> str:
    """Give the path of the text in a known framework's payload, empty where it is of none or has no text."""
    for names, paths in _SIGNATURES:
        if names <= payload.keys():
            return next((path for path in paths if text_at(payload, path)), "")
    return ""


def claimed(payload: Payload) -> bool:
    """Tell whether a payload says that it has no text: a framework's field for it is there, and empty."""
    fields = [name for name in payload if plain(name) in _RANKS]
    empty = bool(fields) and not any(text_at(payload, name) for name in fields)
    return empty or any(names <= payload.keys() for names, _ in _SIGNATURES)


def _common(payloads: Sequence[Payload], *, parse: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for payload in payloads:
        for path, value in leaves(payload, parse=parse, closed=_CLOSED):
            named = _last(path) in _RANKS
            read = isinstance(value, str) or (isinstance(value, list) and (named or _spoken(value)))
            if read and (text := joined_text(value)):
                found[path].append(text)
    common = {path: texts for path, texts in found.items() if 2 * len(texts) >= len(payloads)}
    return common or dict(found)


def _spoken(items: list[object]) -> bool:
    strings = [item for item in items if isinstance(item, str)]
    return len(strings) == len(items) and prose(strings) >= _SPOKEN_ITEM


def _named(fields: dict[str, list[str]], most: int) -> str:
    """Choose a field of a usual name: no label if there is another, outside of metadata, least deep, most usual.

    Inside of metadata only what reads like a text can beat a field outside that does.
    """
    named = {path: texts for path, texts in fields.items() if _last(path) in _RANKS}
    ranks = {
        path: (mostly_labels(texts), _in_metadata(path), path.count("."), -(2 * len(texts) // most), _rank(path), path)
        for path, texts in named.items()
    }
    best = min(ranks, key=ranks.__getitem__, default="")
    if best and (_in_metadata(best) or ranks[best][0]) and not prose(named[best]):
        rivals = {path: prose(texts) for path, texts in fields.items() if not _in_metadata(path)}
        if rival := max(rivals, key=rivals.__getitem__, default=""):
            return rival if rivals[rival] and _last(rival) not in _BESIDE else best
    return best


def _rank(path: str) -> int:
    return _RANKS[_last(path)]


def _last(path: str) -> str:
    return plain(path.rpartition(".")[2])


def _in_metadata(path: str) -> bool:
    return any(plain(part) in METADATA for part in path.split(".")[:-1])


def containers(payloads: Sequence[Payload], text: str) -> list[str]:
    """List the paths of objects that tell of the text: those that it is in, and their metadata, the outermost first."""
    within = [""]
    for name in text.split(".")[:-1]:
        within.append(under(within[-1], name))
    return [*within, *(path for outer in within for path in _metadata_in(payloads, outer))]


def _metadata_in(payloads: Sequence[Payload], outer: str) -> list[str]:
    names: dict[str, None] = {}
    for payload in payloads:
        inner = json_object(value_at(payload, outer)) if outer else payload
        names |= dict.fromkeys(name for name in inner or () if plain(name) in METADATA)
    return [under(outer, name) for name in names]
