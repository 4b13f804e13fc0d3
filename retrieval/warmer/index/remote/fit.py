"""Which text field and which vector of a collection fit the model that embeds its queries."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from warmer.index.fit import LOOKED, MORE, SAME, UNRELATED, likeness
from warmer.index.paths import text_at
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.stored import Stored
from warmer.index.remote.texts import text_fields
from warmer.passage import embedded_text
from warmer.vectors import Vector

_OTHERS = 4  # text fields that are tried beside the one that is read
_BETTER = 0.15
Embed = Callable[[Sequence[str]], Awaitable[Sequence[Vector]]]


@dataclass(frozen=True, slots=True)
class Fit:
    """How alike stored vectors are to the model's of their texts.

    Attributes:
        cosine: Mean cosine, -1 to 1.
        looked: Number of texts that were compared.
        field: A text field whose vectors these rather are; empty: none is better.
        vector: A dense vector that rather is the text's; empty: none is better.
    """

    cosine: float
    looked: int
    field: str = ""
    vector: str = ""

    @property
    def good(self) -> bool:
        """Whether the vectors are this model's of this text."""
        return self.cosine >= SAME

    @property
    def impossible(self) -> bool:
        """Whether the vectors cannot be of this model, nor of this text."""
        return self.cosine < UNRELATED

    def said(self, name: str, model: str) -> str:
        """Say what was found of a collection."""
        found = f"{self.looked} stored vectors against {model}: cosine {self.cosine:.2f}"
        advice = [f"WARMER_TEXT_FIELD={name}={self.field}" if self.field else ""]
        advice += [f"WARMER_VECTOR={name}={self.vector}" if self.vector else ""]
        better = " and ".join(filter(None, advice))
        if better:
            return f"{found}; it fits better with {better}"
        if self.impossible:
            return (
                f"{found}: they are not this model's of these texts; name the model that made them, as "
                f"WARMER_RETRIEVERS={name}=model, or the field that was embedded, as WARMER_TEXT_FIELD={name}=field"
            )
        if self.cosine < MORE:
            return f"{found}: it may be the right model, but of another text, such as a summary"
        return found + ("" if self.cosine >= SAME else ": the right model, of the text with something more")


async def measure_fit(index: QdrantIndex, embed: Embed) -> Fit | None:
    """Embed eight stored texts, and compare; None where there is no text.

    Args:
        index: A collection.
        embed: Embeds passages.
    """
    points = [point for point in await index.stored() if point.text and point.vectors.get(point.used)][:LOOKED]
    if not points:
        return None
    used = points[0].used
    own = await _likeness(points, used, [[one.text for one in points], [_titled(one) for one in points]], embed)
    best = Fit(own, len(points))
    for field, texts in _other_texts(points).items():
        if (cosine := await _likeness(points, used, [texts], embed)) > max(best.cosine + _BETTER, MORE):
            best = Fit(cosine, len(points), field)
    if best.cosine < MORE:
        for vector in points[0].vectors:
            if vector != used and all(one.vectors.get(vector) for one in points):
                cosine = await _likeness(points, vector, [[one.text for one in points]], embed)
                if cosine > max(best.cosine + _BETTER, MORE):
                    best = Fit(cosine, len(points), vector=vector)
    return Fit(own, len(points), best.field, best.vector)


async def _likeness(points: Sequence[Stored], vector: str, ways: Sequence[Sequence[str]], embed: Embed) -> float:
    return likeness([one.vector(vector) for one in points], *[await embed(texts) for texts in ways])


def _titled(point: Stored) -> str:
    return embedded_text(point.title, point.text)


def _other_texts(points: Sequence[Stored]) -> Mapping[str, Sequence[str]]:
    payloads = [one.payload for one in points]
    read = {one.text for one in points}
    fields = [path for path in text_fields(payloads) if {text_at(payload, path) for payload in payloads} != read]
    return {path: [text_at(payload, path) or " " for payload in payloads] for path in fields[:_OTHERS]}
