"""Reports: the three files, their figures, hostile and missing data, and the page in a browser."""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from evals.reports import agent_report, recorded_report, run_report

from warmer_evals.report import write
from warmer_evals.report.charts import differences, interval_chart, line_chart
from warmer_evals.report.figures import DASH, change, number, probability
from warmer_evals.report.verdicts import Headline, Verdict, by_interval, by_sign_test, sentence

Report = dict[str, Any]
_VOID = {"meta", "col", "br", "img", "link", "input", "hr"}
_HOSTILE = (
    '</script><script>document.title="pwned"</script><img src=x onerror=document.title="pwned">{{ 7*7 }} | `x` ]('
)


class Page(HTMLParser):
    """The elements of a page, and its text without styles and scripts; mismatched tags fail."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.data = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data = self.data or data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: Report, folder: Path) -> Page:
    write(report, folder)
    return Page((folder / "report.html").read_text("utf-8"))


def without_figures(value: Any, *, inside: bool = False) -> Any:
    """Return a copy of the report with null for every figure."""
    if isinstance(value, dict):
        figures = {"methods", "budget", "by_k", "arms", "comparison", "params", "about"}
        return {
            key: item if key in {"k", "qrels", "answer"} else without_figures(item, inside=inside or key in figures)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_figures(item, inside=inside) for item in value]
    return None if inside and isinstance(value, int | float) else value


REPORTS: dict[str, Callable[[], Report]] = {
    "run": run_report,
    "live collection": lambda: run_report(12, qrels=False),
    "ids only": lambda: run_report(30, texts=False),
    "all skipped": lambda: run_report(3, skipped=3),
    "no query": lambda: run_report(0, skipped=0) | {"methods": {}, "budget": {}},
    "one query": lambda: run_report(1, skipped=0),
    "five queries": lambda: run_report(5, skipped=0),
    "many queries": lambda: run_report(225, skipped=20),
    "no figures": lambda: without_figures(run_report(8)),
    "agent": agent_report,
    "agent, live": lambda: agent_report(7, texts=False, qrels=False),
    "agent, no question": lambda: agent_report(0),
    "agent, no figures": lambda: without_figures(agent_report(4)),
    "recorded agent": recorded_report,
    "recorded agent, characters": lambda: recorded_report(7, texts=False, characters=True),
    "recorded agent, no question": lambda: recorded_report(0),
    "recorded agent, no figures": lambda: without_figures(recorded_report(4)),
    "nothing but a recorded agent": lambda: {"kind": "agent", "recorded": {}},
    "nothing but a kind": lambda: {"kind": "run"},
    "nothing but an agent": lambda: {"kind": "agent"},
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_is_well_formed_whatever_is_missing(name: str, tmp_path: Path) -> None:
    report = REPORTS[name]()
    page = page_of(report, tmp_path)
    assert page.open == []
    assert re.search(r"\b(None|nan|null|undefined)\b", page.text) is None
    assert re.search(r"\b(None|nan)\b", (tmp_path / "report.md").read_text("utf-8")) is None
    for tag, attribute in (("th", "scope"), ("td", "style")):
        assert all((attribute in attributes) == (tag == "th") for attributes in page.all(tag))
    drawings = [attributes for attributes in page.all("svg") if "aria-hidden" not in attributes]
    assert all(attributes.get("role") == "img" or "height" in attributes for attributes in drawings)
    links = [url for _, attributes in page.elements for key in ("src", "href") if (url := attributes.get(key))]
    assert all(url.startswith("#") for url in links)
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == json.loads(json.dumps(report))


@pytest.mark.parametrize("make", [run_report, agent_report, recorded_report])
def test_the_same_report_gives_the_same_bytes(make: Callable[[], Report], tmp_path: Path) -> None:
    report = make()
    before = copy.deepcopy(report)
    for folder in (tmp_path / "a" / "new", tmp_path / "b", tmp_path / "b"):
        write(report, folder)
    assert report == before
    names = ["report.html", "report.json", "report.md"]
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == names
    for name in names:
        written = (tmp_path / "b" / name).read_bytes()
        assert written == (tmp_path / "a" / "new" / name).read_bytes()
        assert written.endswith(b"\n")
        assert b"\r" not in written


def test_json_keeps_the_order_and_has_no_nan(tmp_path: Path) -> None:
    report = run_report(6) | {"zeta": float("nan"), "alpha": [float("inf"), 1.5]}
    write(report, tmp_path)
    read = json.loads((tmp_path / "report.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert list(read) == list(report)
    assert (read["zeta"], read["alpha"]) == (None, [None, 1.5])
    assert '\n "kind": "run",\n' in (tmp_path / "report.json").read_text("utf-8")


def test_a_failed_write_leaves_no_partial_files(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OSError, match=r"report\.html"):
        write(run_report(6), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json", "report.md"]


def test_markdown_has_the_figures(tmp_path: Path) -> None:
    report = run_report()
    feedback, budget = report["methods"]["feedback"], report["budget"]["feedback"]
    write(report, tmp_path)
    text = (tmp_path / "report.md").read_text("utf-8")
    assert text.startswith("# Is feedback worth having on med?\n\n**Feedback wins in ")
    for gain in (feedback["same_list"], feedback):
        told = f"{change(gain['relevance_gain'])} ({change(gain['ci']['relevance_gain'][0])} to "
        assert f"| Feedback | {told}" in text
    assert f"| Feedback | {number(feedback['ndcg'])} (" in text
    assert f"| Feedback | {number(budget['ndcg'])} (" in text
    columns = ["Over the dense list", "Over its own list", "After 5", "After 10", "After 15", "In two steps"]
    assert f"| Method | nDCG | {' | '.join(columns)} |" in text
    assert "| Method | K = 3 | K = 5 | K = 10 |" in text
    assert "| Feedback, fold 2 | c 1.5, neutral 5, share 0.3 | default: no better held out |" in text
    assert "- Two folds: each half" in text
    assert "Oracle: the judgments are the scores; residual measures are then not independent of the judge" in text


def test_scores_are_shown_from_0_to_10(tmp_path: Path) -> None:
    report = run_report(6, skipped=0)
    report["per_query"][0]["seeds"] = [["a", 0], ["b", 0.25], ["c", 0.5], ["d", 1], ["e", None]]
    shown = json.loads(page_of(report, tmp_path).data)
    first = next(query for query in shown["queries"] if query["id"] == "0")["in"][0]["columns"][0]["hits"]
    assert [score for _, score in first] == [0, 2.5, 5, 10, None]
    assert shown["scale"] == 10


def test_markdown_of_an_agent_has_all_arms(tmp_path: Path) -> None:
    write(agent_report(), tmp_path)
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "No clear difference between threads and search alone in mean nDCG and questions won." in text
    assert "| Search alone | 0.550 (0.470 to 0.630) | 9,876 (9,000 to 10,000) | 0.520 |" in text
    assert "| In threads | 0.640 (0.560 to 0.720) |" in text
    assert f"| With feedback | +2.0% ({change(-0.04)} to +8.0%) | 12 : 5 | 8 | p = 0.143 |" in text
    assert "In threads: 1 question failed." in text


def test_markdown_of_a_recorded_agent_says_first_what_a_thread_is_worth(tmp_path: Path) -> None:
    write(recorded_report(), tmp_path)
    text = (tmp_path / "report.md").read_text("utf-8")
    assert text.startswith(
        "# Thread or rewording on med?\n\n**For 15 passages a question a thread shows better documents than rewording: "
        "+11% nDCG, 12 questions better and 5 worse.** "
    )
    assert (
        "| Rewording | 0.750 (0.700 to 0.800) | 0.600 (0.550 to 0.650) | 7,654 (7,000 to 8,000) | 15.0 | 3.0 |" in text
    )
    assert "Rewording, skimmed" not in text
    assert "300 of 400 scores are drawn: no model gave them." in text
    assert "- Scores: a language model's, recorded and drawn (100 and 300)" in text
    write(recorded_report(characters=True), tmp_path)
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "**For 8,000 characters a question" in text
    assert "| Rewording, skimmed | +11% (+4.7% to +17%) | 12 : 5 | 8 |" in text


def test_many_queries_make_a_small_page(tmp_path: Path) -> None:
    report = run_report(225, skipped=20, texts=False)
    write(report, tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 250_000


def hostile(report: Report) -> Report:
    """Return a copy of the report with hostile text everywhere."""
    copied: Report = copy.deepcopy(report)
    copied |= {"dataset": _HOSTILE, "judge": _HOSTILE, "agent": _HOSTILE, "notes": [_HOSTILE]}
    if copied["kind"] == "run":
        copied["about"] |= {"notes": [_HOSTILE], "model": _HOSTILE}
        copied["params"]["feedback"][0]["reason"] = _HOSTILE
        copied["methods"][_HOSTILE] = copied["methods"]["rocchio"]
    for entry in copied["per_query"]:
        entry["id"] += _HOSTILE
        entry["text"] = f"Query {entry['id']}"
        for arm in entry.get("arms", {}).values():
            arm["error"] = _HOSTILE
    copied["texts"] = dict.fromkeys(copied["texts"], f"Passage {_HOSTILE}")
    return copied


@pytest.mark.parametrize("make", [run_report, agent_report, recorded_report])
def test_texts_cannot_become_markup(make: Callable[[], Report], tmp_path: Path) -> None:
    page = page_of(hostile(make()), tmp_path)
    assert page.open == []
    assert [attributes.get("type") for attributes in page.all("script")] == ["application/json", None]
    assert page.all("img") == []
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert "{{ 7*7 }}" in page.text
    shown = json.loads(page.data)
    assert shown["documents"][0][1] == f"Passage {_HOSTILE}"
    assert "<" not in page.data
    markdown = (tmp_path / "report.md").read_text("utf-8")
    assert re.search(r"(?<!\\)<(?=\S)", markdown) is None
    assert re.search(r"(?<!\\)\]\(", markdown) is None


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    report = run_report(4, skipped=0)
    report["per_query"][0] |= {"id": "\ud800", "text": "\udfff"}
    assert "#q=%3F" in {attributes["href"] for attributes in page_of(report, tmp_path).all("a")}


@pytest.mark.parametrize(
    ("bounds", "queries", "verdict"),
    [
        ([0.01, 0.3], 30, Verdict.WINS),
        ([-0.3, -0.01], 30, Verdict.LOSES),
        ([-0.01, 0.3], 30, Verdict.UNCLEAR),
        ([0.0, 0.3], 30, Verdict.UNCLEAR),
        ([0.2, 0.3], 5, Verdict.FEW),
        (None, 30, Verdict.UNKNOWN),
    ],
)
def test_a_verdict_follows_from_the_interval(bounds: list[float] | None, queries: int, verdict: Verdict) -> None:
    assert by_interval(bounds, queries) is verdict


def test_a_win_needs_a_significant_sign_test() -> None:
    assert by_sign_test(0.8, 0.1, 0.01, 30) is Verdict.WINS
    assert by_sign_test(0.1, 0.8, 0.01, 30) is Verdict.LOSES
    assert by_sign_test(0.8, 0.1, 0.06, 30) is Verdict.UNCLEAR
    assert by_sign_test(0.8, 0.1, None, 30) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"x": Verdict.WINS, "y": Verdict.WINS}, "Feedback wins in x and y."),
        ({"x": Verdict.WINS, "y": Verdict.UNCLEAR}, "Feedback wins in x. No clear difference in y."),
        ({"x": Verdict.WINS, "y": Verdict.LOSES}, "Mixed: feedback wins in x, but loses in y."),
        ({"x": Verdict.LOSES, "y": Verdict.UNKNOWN}, "Feedback loses in x."),
        ({"x": Verdict.UNCLEAR}, "No clear difference between feedback and no feedback in x."),
        ({"x": Verdict.FEW}, "Too few queries for a verdict: fewer than 6 cannot tell a difference from chance."),
        ({}, "No verdict: there is nothing to compare."),
    ],
)
def test_the_sentence_sums_up_the_verdicts(verdicts: dict[str, Verdict], expected: str) -> None:
    assert sentence([Headline(name, name, "", "", "", verdict) for name, verdict in verdicts.items()]) == expected


def test_figures_are_formatted() -> None:
    assert [change(value) for value in (0.913, -0.04, 0.0, None)] == ["+91%", "\N{MINUS SIGN}4.0%", "0%", DASH]
    assert [probability(value) for value in (0.0004, 0.0321, None)] == ["p < 0.001", "p = 0.032", f"p {DASH}"]


def test_marks_stay_inside_their_charts() -> None:
    means = [("a", "A", "", 0.2, [0.1, 0.4]), ("b", "B", "", -0.3, [-0.77, 0.0]), ("c", "C", "", None, None)]
    chart = interval_chart("", "", means, change, zero=True)
    assert chart
    places = [at for row in chart.rows for at in (row.low, row.at, row.high) if at is not None]
    assert min(places) >= 0
    assert max(places) <= 100
    assert chart.rows[0].at and chart.rows[1].at and chart.rows[1].at < chart.rows[0].at
    assert chart.rows[2].at is None
    assert chart.baseline in {tick.at for tick in chart.ticks}
    lines = line_chart("", "", [("a", "A", [(3, 0.5), (5, None), (10, 0.5)])], number)
    assert lines
    assert [(point.x, point.y) for point in lines.lines[0].points] == [(16.0, 46.0), (94.0, 46.0)]
    gains = differences("", "", [(str(gain), "", gain / 10) for gain in range(-12, 13)])
    assert gains
    assert [bar.value for bar in gains.best] == [f"+{gain / 10:.2f}" for gain in range(12, 4, -1)]
    assert [bar.value for bar in gains.worst] == [f"\N{MINUS SIGN}{gain / 10:.2f}" for gain in range(5, 13)]
    assert max(bar.start + bar.size for bar in gains.bars) <= 100


needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")


def open_in_browser(folder: Path, fragment: str = "") -> Page:
    """Return the DOM that a browser makes of the page; fail on any console output, such as a refused request."""
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={folder}/browser",
    ]
    url = (folder / "report.html").as_uri() + fragment
    shown = subprocess.run(
        ["chromium", *flags, "--dump-dom", url], capture_output=True, text=True, timeout=60, check=True
    )
    assert [line for line in shown.stderr.splitlines() if "CONSOLE" in line] == []
    return Page(shown.stdout)


@needs_chromium
def test_a_browser_shows_the_largest_win_first_and_runs_no_injected_script(tmp_path: Path) -> None:
    report = hostile(run_report())
    write(report, tmp_path)
    page = open_in_browser(tmp_path)
    feedback = report["methods"]["feedback"]
    assert page.text.startswith(f"Is feedback worth having on {_HOSTILE}?")
    assert page.all("img") == []
    for figure in (change(feedback["relevance_gain"]), change(feedback["vs_same_list"]), "Feedback wins in"):
        assert figure in page.text
    compared = [entry for entry in report["per_query"] if not entry["skipped"]]
    best = max(
        compared, key=lambda entry: entry["methods"]["feedback"]["dcg"] - entry["methods"]["vanilla_hybrid"]["dcg"]
    )
    assert len(page.all("option")) == len(report["per_query"])
    shown = page.text.rsplit("← →", 1)[-1]
    assert shown.strip().startswith(f"{best['text']} +")
    assert f"Passage {_HOSTILE}" in shown


@needs_chromium
@pytest.mark.parametrize("make", [run_report, agent_report, recorded_report])
def test_the_address_can_name_a_query(make: Callable[[], Report], tmp_path: Path) -> None:
    report = make()
    entry = report["per_query"][-2]
    entry["id"] = "a/b c&d=é"
    write(report, tmp_path)
    page = open_in_browser(tmp_path, "#q=" + quote(entry["id"], safe=""))
    shown = page.text.rsplit("← →", 1)[-1]
    assert shown.strip().startswith(entry["text"])
    hits = (
        entry["hits"]["feedback"]
        if "hits" in entry
        else [hit for part in entry["arms"]["thread"]["rounds"] for hit in part]
    )
    assert all(report["texts"][document] in shown for document, _ in hits)
