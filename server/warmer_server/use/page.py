"""The report of what is missing as one HTML page, which loads nothing and runs nothing."""

from collections.abc import Sequence
from time import gmtime, strftime

from warmer_server.use.missing import Group
from warmer_server.use.shell import document, plain

_STYLE = """
details { border-top: 1px solid var(--line); padding: .6rem 0; }
summary { display: grid; grid-template-columns: 4rem 5rem 1fr; gap: .5rem; }
summary b { color: var(--mark); font-variant-numeric: tabular-nums; }
.head { display: grid; grid-template-columns: 4rem 5rem 1fr; gap: .5rem; color: var(--soft); }
dl { margin: .5rem 0 0 9.5rem; } dt { font-weight: 600; } dd { margin: 0 0 .4rem; color: var(--text); }
@media (max-width: 40rem) { dl { margin-left: 1rem; } }
"""


def page(collection: str, groups: Sequence[Group], below: float) -> str:
    """Write the page; every text from outside is sanitized and escaped."""
    rows = "\n".join(map(_row, groups)) or "<p>Nothing: every reworded question found something good.</p>"
    threads = sum(group.threads for group in groups)
    title = f"What {collection} lacks"
    body = f"""<h1>{plain(title)}</h1>
<p>{len(groups)} questions from {threads} threads whose best score stayed below {below:g} of 10, although they were
reworded. What is asked most comes first: write it next.</p>
<div class="head" aria-hidden="true"><span>threads</span><span>best</span><span>question</span></div>
{rows}"""
    return document(title, _STYLE, body)


def _row(group: Group) -> str:
    wordings = "".join(f"<dd>{plain(wording)}</dd>" for wording in group.wordings)
    nearest = " · ".join(plain(text) for text in (group.title, group.source) if text) or plain(group.point)
    day = strftime("%Y-%m-%d", gmtime(group.last))
    return (
        f'<details><summary><b aria-label="{group.threads} threads">{group.threads}</b>'
        f'<span aria-label="best score {group.best:g} of 10">{group.best:.1f}</span>'
        f"<span>{plain(group.question)}</span>"
        f"</summary><dl><dt>Also put as</dt>{wordings}<dt>Best passage</dt><dd>{nearest}</dd>"
        f"<dt>Asked last</dt><dd>{day}</dd></dl></details>"
    )
