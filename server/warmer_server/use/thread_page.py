"""Threads as one HTML page: what was said, what was shown, its scores, and what they moved up."""

from base64 import b64encode
from collections.abc import Sequence
from time import gmtime, strftime

from warmer_server.use.shell import document, plain
from warmer_server.use.showing import Line, View

KINDS = {"query": "question", "rewording": "reworded", "passage": "made-up passage", "avoid": "not about"}
_STYLE = """
section { border-top: 2px solid var(--line); padding-top: .5rem; margin-top: 2rem; }
h2 { font-size: 1.2rem; line-height: 1.3; } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
ol.said { padding-left: 1.5rem; } ol.said p { margin: .2rem 0; color: var(--text); }
ol.said span { color: var(--soft); }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .35rem .4rem .35rem 0; border-top: 1px solid var(--line); }
th { color: var(--soft); font-weight: 400; } th.n, td.n { width: 3.2rem; font-variant-numeric: tabular-nums; }
td.s { font-weight: 600; color: var(--mark); } td p { margin: .3rem 0 0; white-space: pre-wrap; }
td img { display: block; max-width: 100%; margin-bottom: .3rem; }
td meter { display: block; width: 2.2rem; height: .5rem; }
@media (max-width: 45rem) { .sides { grid-template-columns: 1fr; } }
@media print { .sides { grid-template-columns: 1fr 1fr; } }
"""


def thread_page(views: Sequence[View]) -> str:
    """Write the page; every text from outside is sanitized and escaped."""
    title = views[0].query if len(views) == 1 else f"{len(views)} threads"
    body = f"<h1>{plain(title)}</h1>\n" + "\n".join(_thread(view, alone=len(views) == 1) for view in views)
    return document(title, _STYLE, body)


def _thread(view: View, *, alone: bool) -> str:
    made = strftime("%Y-%m-%d %H:%M UTC", gmtime(view.created))
    heading = "" if alone else f"<h2>{plain(view.query)}</h2>"
    return (
        f"<section>{heading}<p>In {plain(view.collection)}, {made}. {plain(summary(view))}</p>"
        f"<h3>What was said, call by call</h3><ol class=said>{''.join(_call(*one) for one in view.said.items())}</ol>"
        f"<div class=sides><div><h3>In the order shown</h3>{_table(view.lines, ranked=False)}</div>"
        f"<div><h3>By score</h3>{_table(view.ranking, ranked=True)}</div></div></section>"
    )


def summary(view: View) -> str:
    """Say in a sentence or two what was scored, and how high."""
    if not view.means:
        return f"{len(view.lines)} passages shown, none scored."
    first, *later = view.means
    said = f"{len(view.lines)} passages shown. Scored first: {first[0]}, mean {first[1]:.1f} of 10."
    return said + "".join(f" Scored next: {count}, mean {mean:.1f}." for count, mean in later)


def _call(number: int, texts: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"<p><span>{plain(KINDS.get(kind, kind))}:</span> {plain(text)}</p>" for kind, text in texts)
    return f"<li value={number}>{lines}</li>"


def _table(lines: Sequence[Line], *, ranked: bool) -> str:
    if not lines:
        return "<p>Nothing.</p>"
    head = "place</th><th class=n>hit" if ranked else "hit"
    rows = "".join(_row(line, ranked=ranked) for line in lines)
    return f"<table><thead><tr><th class=n>{head}</th><th>passage</th><th class=n>score</th></tr></thead>{rows}</table>"


def _row(line: Line, *, ranked: bool) -> str:
    first = f"<td class=n>{line.place}</td><td class=n>{line.hit}</td>" if ranked else f"<td class=n>{line.hit}</td>"
    title = plain(line.title or line.source or "untitled")
    where = f"<p>{plain(line.source)}</p>" if line.source and line.title else ""
    passage = f"<details><summary>{title}</summary>{where}<p>{plain(line.text)}</p></details>" if line.text else title
    passage = _picture(line) + passage
    return f"<tr>{first}<td>{passage}{_moved(line) if ranked else ''}</td>{_score(line.score)}</tr>"


def _picture(line: Line) -> str:
    if not line.picture:
        return ""
    told = " ".join(line.text.split()) or line.title or f"picture {line.source}"
    data = b64encode(line.picture).decode()
    return f'<img alt="{plain(told)}" src="data:image/jpeg;base64,{data}">'


def _moved(line: Line) -> str:
    if not line.moved:
        return ""
    places = f"{abs(line.moved)} place{'' if abs(line.moved) == 1 else 's'}"
    return f"<p>{'▲' if line.moved > 0 else '▼'} {places} {'up' if line.moved > 0 else 'down'}</p>"


def _score(score: float | None) -> str:
    if score is None:
        return '<td class="n"><span aria-label="not scored">-</span></td>'
    return f'<td class="n s">{score:.3g}<meter min=0 max=10 value="{score:g}">{score:g} of 10</meter></td>'
