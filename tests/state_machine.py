"""A Hypothesis state machine: what must hold in any order of searches, scores, trainings and restarts."""

import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from anyio.from_thread import start_blocking_portal
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, multiple, rule
from mcp import Client
from support import ask, refusal

from warmer.training.cross_validation import FEWEST_QUERIES
from warmer.training.fit import FEWEST_HITS
from warmer_server.app import build_server
from warmer_server.settings import Settings

POINTS = 36
NEUTRAL = 5
QUERIES = ["bread", "the Moon", "boats", "compost", "an index", "a generator", "tides", "yeast", "anchor", "seeds"]
SCORES = st.sampled_from([0, 0.5, 2, 5, 5, 7, 10])
WORDS = ["dough", "orbits", "a mast", "leaves", "rows", "an iterator", "the harbour", "soil"]


@dataclass
class KnownSearch:
    """What an agent knows about a search: the words it said, texts and scores of hits by number."""

    query: str
    words: set[str] = field(default_factory=set)
    texts: dict[int, str] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)

    def see(self, hits: list[dict[str, Any]]) -> None:
        """Record hits: the number of a point never changes, and new points get the next numbers."""
        points = [hit["text"] for hit in hits]
        assert len(set(points)) == len(points)
        new = [hit for hit in hits if hit["text"] not in self.texts.values()]
        assert [hit["hit"] for hit in new] == list(range(len(self.texts) + 1, len(self.texts) + len(new) + 1))
        self.texts |= {hit["hit"]: hit["text"] for hit in new}
        assert all(self.texts[hit["hit"]] == hit["text"] for hit in hits)

    def see_new(self, hits: list[dict[str, Any]], limit: int) -> None:
        """Record hits of a list that holds only what was not shown before."""
        assert not {hit["text"] for hit in hits} & set(self.texts.values())
        assert len(hits) == min(limit, POINTS - len(self.texts))
        self.see(hits)


class FeedbackMachine(RuleBasedStateMachine):
    """Works on a copy of the data directory `template`, which holds the collection `notes` of 36 passages."""

    template: ClassVar[Path]
    searches = Bundle("searches")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, KnownSearch] = {}
        self.trained = False
        self.folder = Path(tempfile.mkdtemp())
        subprocess.run(["cp", "-r", self.template, self.folder / "data"], check=True)
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal())

    @initialize()
    def open(self) -> None:
        settings = Settings(WARMER_DATA_DIR=self.folder / "data")
        self.session = ExitStack()
        client = Client(build_server(settings))
        self.client = self.session.enter_context(self.portal.wrap_async_context_manager(client))

    def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        return self.portal.call(lambda: ask(self.client, tool, **arguments))

    def score_and_check(self, handle: str, scores: dict[int, float], limit: int, again: bool) -> None:
        shown = self.known[handle]
        given = {str(hit): score for hit, score in scores.items()}
        reply = self.ask("give_feedback", search_id=handle, scores=given, limit=limit, include_scored=again)
        shown.scores |= scores
        ranking = [(ranked["hit"], ranked["score"]) for ranked in reply["ranking"]]
        assert dict(ranking) == shown.scores
        assert [n for n, ranked in enumerate(reply["ranking"]) if "title" in ranked] == [*range(min(10, len(ranking)))]
        assert [score for _, score in ranking] == sorted(shown.scores.values(), reverse=True)
        if not self.trained:
            all_neutral = set(shown.scores.values()) == {NEUTRAL}
            assert reply["outcome"] == ("no_signal" if all_neutral else "steered")
        if again:
            assert len(reply["hits"]) == min(limit, POINTS)
            shown.see(reply["hits"])
        else:
            shown.see_new(reply["hits"], limit)

    @rule(target=searches, query=st.sampled_from(QUERIES), limit=st.integers(1, 50))
    def search(self, query: str, limit: int) -> str:
        return self.search_and_check(query, limit)

    def search_and_check(self, query: str, limit: int) -> str:
        reply = self.ask("search", query=query, limit=limit)
        assert len(reply["hits"]) == min(limit, POINTS)
        self.known[reply["search_id"]] = KnownSearch(query)
        self.known[reply["search_id"]].see(reply["hits"])
        return str(reply["search_id"])

    @rule(handle=searches, data=st.data(), limit=st.integers(1, 50), again=st.booleans())
    def give_feedback(self, handle: str, data: st.DataObject, limit: int, again: bool) -> None:
        numbers = st.sampled_from(sorted(self.known[handle].texts))
        scores = data.draw(st.dictionaries(numbers, SCORES, min_size=1, max_size=8))
        self.score_and_check(handle, scores, limit, again)

    @rule(handle=searches, words=st.lists(st.sampled_from(WORDS), max_size=3), limit=st.integers(1, 9))
    def go_on(self, handle: str, words: list[str], limit: int) -> None:
        """Other words, or none to read on: only new hits, and scores stay."""
        shown = self.known[handle]
        query, *rewordings = words or [""]
        reply = self.ask("search", search_id=handle, query=query, rewordings=rewordings, limit=limit)
        shown.words |= {*words}
        shown.see_new(reply["hits"], limit)

    @rule(handle=searches, words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), limit=st.integers(1, 9))
    def reword(self, handle: str, words: list[str], limit: int) -> None:
        shown = self.known[handle]
        reply = self.ask("give_feedback", search_id=handle, rewordings=words, limit=limit)
        assert reply["outcome"] == ("steered" if {*words} - shown.words else "no_signal")
        shown.words |= {*words}
        assert {ranked["hit"]: ranked["score"] for ranked in reply["ranking"]} == shown.scores
        shown.see_new(reply["hits"], limit)

    @rule(handle=searches, data=st.data())
    def read(self, handle: str, data: st.DataObject) -> None:
        shown = self.known[handle]
        numbers = data.draw(st.lists(st.sampled_from(sorted(shown.texts)), min_size=1, max_size=4, unique=True))
        reply = self.ask("search", search_id=handle, read=numbers)
        assert [(hit["hit"], hit["text"]) for hit in reply["hits"]] == [(n, shown.texts[n]) for n in numbers]
        unknown = len(shown.texts) + 1
        assert self.portal.call(lambda: refusal(self.client, "search", search_id=handle, read=[1, unknown]))

    @rule(handle=searches, score=st.sampled_from([-1, 11, "x", None]), known=st.booleans())
    def score_invalidly(self, handle: str, score: Any, known: bool) -> None:
        """A refused call changes nothing: the ranking is as it was."""
        shown = self.known[handle]
        scores = {"1": 9, "2": score} if known else {"1": 9, str(len(shown.texts) + 1): 5}
        assert self.portal.call(lambda: refusal(self.client, "give_feedback", search_id=handle, scores=scores))
        if shown.scores:
            hit, before = next(iter(shown.scores.items()))
            self.score_and_check(handle, {hit: before}, 1, again=False)

    @rule(target=searches, wanted=st.integers(FEWEST_QUERIES - 1, len(QUERIES)))
    def search_and_score_many(self, wanted: int) -> Any:
        handles = [self.search_and_check(query, FEWEST_HITS) for query in QUERIES[:wanted]]
        for n, handle in enumerate(handles):
            self.score_and_check(handle, {hit: (hit * 3 + n) % 11 for hit in self.known[handle].texts}, 1, again=False)
        return multiple(*handles)

    @rule()
    def train(self) -> None:
        enough = {shown.query for shown in self.known.values() if len(shown.scores) >= FEWEST_HITS}
        reply = self.ask("train_params", wait_seconds=60)
        if len(enough) < FEWEST_QUERIES:
            assert (reply["status"], reply["progress"]["done"]) == ("needs_queries", len(enough))
            return
        assert reply["status"] in {"applied", "rejected"}
        assert reply["status"] == "applied" or reply["reason"]
        self.trained = self.trained or "held_out" in reply

    @rule(handle=consumes(searches))
    def reopen(self, handle: str) -> None:
        self.session.close()
        self.open()
        shown = self.known[handle]
        if shown.scores:
            hit, before = next(iter(shown.scores.items()))
            self.score_and_check(handle, {hit: before}, 50, again=True)

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
        self.stack.close()
        shutil.rmtree(self.folder)


def make_machine(template: Path) -> type[FeedbackMachine]:
    """Return the machine for copies of a data directory."""
    return type("FeedbackMachine", (FeedbackMachine,), {"template": template})
