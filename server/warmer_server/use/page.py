"""The report of what is missing as one HTML page, which loads nothing and runs nothing."""

from collections.abc import Sequence
from html import escape
from time import gmtime, strftime

from warmer.sanitize import sanitize
from warmer_server.use.missing import Group

_STYLE = """
:root { color-scheme: light dark; --text: #1c1d1f; --soft: #5a5e66; --ground: #fff; --line: #d9dce1; --mark: #8a3b00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e9eb; --soft: #a6abb4; --ground: #16181b; --line: #363a41; --mark: #ffb27a; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; color: var(--text); background: var(--ground);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; }
p, dd, dt { color: var(--soft); }
details { border-top: 1px solid var(--line); padding: .6rem 0; }
summary { cursor: pointer; display: grid; grid-template-columns: 4rem 5rem 1fr; gap: .5rem; }
summary:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
summary b { color: var(--mark); font-variant-numeric: tabular-nums; }
.head { display: grid; grid-template-columns: 4rem 5rem 1fr; gap: .5rem; color: var(--soft); }
dl { margin: .5rem 0 0 9.5rem; } dt { font-weight: 600; } dd { margin: 0 0 .4rem; color: var(--text); }
@media (max-width: 40rem) { dl { margin-left: 1rem; } }
"""


def page(collection: str, groups: Sequence[Group], below: float) -> str:
    """Write the page; every text from outside is sanitized and escaped."""
    rows = "\n".join(map(_row, groups)) or "<p>Nothing: every reworded question found something good.</p>"
    name, threads = _text(collection), sum(group.threads for group in groups)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What {name} lacks</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>What {name} lacks</h1>
<p>{len(groups)} questions from {threads} threads whose best score stayed below {below:g} of 10, although they were
reworded. What is asked most comes first: write it next.</p>
<div class="head" aria-hidden="true"><span>threads</span><span>best</span><span>question</span></div>
{rows}
</main>
</body>
</html>
"""


def _row(group: Group) -> str:
    wordings = "".join(f"<dd>{_text(wording)}</dd>" for wording in group.wordings)
    nearest = " · ".join(_text(text) for text in (group.title, group.source) if text) or _text(group.point)
    day = strftime("%Y-%m-%d", gmtime(group.last))
    return (
        f'<details><summary><b aria-label="{group.threads} threads">{group.threads}</b>'
        f'<span aria-label="best score {group.best:g} of 10">{group.best:.1f}</span>'
        f"<span>{_text(group.question)}</span>"
        f"</summary><dl><dt>Also put as</dt>{wordings}<dt>Best passage</dt><dd>{nearest}</dd>"
        f"<dt>Asked last</dt><dd>{day}</dd></dl></details>"
    )


def _text(text: str) -> str:
    return escape(sanitize(text))
