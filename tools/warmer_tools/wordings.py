"""What a call says: checked, and embedded in one batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from warmer.embedding.background import Waiting
from warmer.errors import SearchError
from warmer.index import CollectionInfo, Index
from warmer.journal import Search
from warmer.steering.wording import Kind, Wording
from warmer_tools.compatibility import check_model, check_retriever
from warmer_tools.stopwatch import stage
from warmer_tools.workspace import Workspace

MAX_QUERY = 4000
MAX_PASSAGE = 2000
MAX_REWORDINGS = 5
MAX_AVOIDED = 3


@dataclass(frozen=True, slots=True)
class Said:
    """The texts of a call, checked; `query` and `passage` may be empty."""

    query: str = ""
    rewordings: tuple[str, ...] = ()
    passage: str = ""
    avoid: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.query or self.rewordings or self.passage or self.avoid)

    def beyond(self, known: Iterable[Wording]) -> "Said":
        """Leave out what a thread has said before; to say it again adds nothing."""
        wanted = {wording.text for wording in known if wording.kind != "avoid"}
        avoided = {wording.text for wording in known if wording.kind == "avoid"}
        return Said(
            "" if self.query in wanted else self.query,
            tuple(text for text in self.rewordings if text not in wanted),
            "" if self.passage in wanted else self.passage,
            tuple(text for text in self.avoid if text not in avoided),
        )

    @property
    def kinds(self) -> list[tuple[Kind, str]]:
        """List the texts, the leading one first and the passage last."""
        leading: list[tuple[Kind, str]] = [("query", self.query)] if self.query else []
        hypothetical: list[tuple[Kind, str]] = [("passage", self.passage)] if self.passage else []
        others: list[tuple[Kind, str]] = [("rewording", text) for text in self.rewordings]
        avoided: list[tuple[Kind, str]] = [("avoid", text) for text in self.avoid]
        return [*leading, *others, *avoided, *hypothetical]


def checked(query: str = "", rewordings: Sequence[str] = (), passage: str = "", avoid: Sequence[str] = ()) -> Said:
    """Strip the texts of a call, and drop repeated ones.

    Raises:
        SearchError: One is empty or too long, or there are too many.
    """
    query = checked_query(query) if query.strip() else ""
    others = _several("rewordings", rewordings, MAX_REWORDINGS)
    avoided = _several("avoid", avoid, MAX_AVOIDED)
    if len(passage) > MAX_PASSAGE:
        raise SearchError(
            f"hypothetical_passage has {len(passage)} characters, at most {MAX_PASSAGE} are read: write a few "
            "sentences that would answer the question"
        )
    distinct = tuple(text for text in others if text != query)
    return Said(query, distinct, _whole(passage).strip(), avoided)


def _several(name: str, texts: Sequence[str], most: int) -> tuple[str, ...]:
    if len(texts) > most:
        raise SearchError(f"{name} has {len(texts)} texts: send {most} at most, the most different ones")
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            raise SearchError(f"text {number} of {name} is empty: write it out, or leave it out")
    return tuple(dict.fromkeys(checked_query(text, f"text {n} of {name}") for n, text in enumerate(texts, start=1)))


def checked_query(query: str, name: str = "the query") -> str:
    """Strip a query.

    Raises:
        SearchError: It is empty or too long.
    """
    query = _whole(query).strip()
    if not query:
        raise SearchError("the query is empty: say in a sentence what you are looking for")
    if len(query) > MAX_QUERY:
        raise SearchError(
            f"{name} has {len(query)} characters, at most {MAX_QUERY} are read: send the question, not the document"
        )
    return query


async def embed(
    workspace: Workspace, info: CollectionInfo, said: Said, turn: int, waiting: Waiting
) -> tuple[str, list[Wording]]:
    """Embed what a call says; gives the retriever's name and the wordings.

    Raises:
        ModelMismatchError: The collection was embedded by another model.
        EmbeddingError: The model cannot be loaded, or fails.
    """
    with stage("embed"):
        background = workspace.retrievers.of(info.name, pictures=info.pictures)
        retriever = await background.ready(waiting)
        check_retriever(info, retriever)
        texts = said.kinds
        queries = [text for kind, text in texts if kind != "passage"]
        vectors = await background.embed(retriever, queries, [said.passage] if said.passage else [])
    return retriever.name, [
        Wording(kind, text, vector, turn) for (kind, text), vector in zip(texts, vectors, strict=True)
    ]


async def go_on(
    workspace: Workspace, index: Index, thread: Search, said: Said, waiting: Waiting
) -> tuple[Search, list[Wording]]:
    """Embed what a thread has not said before; gives the thread with it, and the new wordings.

    Raises:
        ModelMismatchError: The thread or the collection was embedded by another model.
        EmbeddingError: The model cannot be loaded, or fails.
    """
    said = said.beyond(thread.wordings)
    if not said:
        return thread, []
    model, new = await embed(workspace, await index.info(), said, thread.turn, waiting)
    check_model(thread, model)
    return replace(thread, more=(*thread.more, *new)), new


def _whole(text: str) -> str:
    """Replace half a surrogate pair, which cannot be kept."""
    return text.encode("utf-8", "replace").decode()
