"""The frame of every page that is made from the journal: it loads nothing and runs nothing."""

from html import escape

from warmer.sanitize import sanitize

_STYLE = """
:root { color-scheme: light dark; --text: #1c1d1f; --soft: #5a5e66; --ground: #fff; --line: #d9dce1; --mark: #8a3b00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e9eb; --soft: #a6abb4; --ground: #16181b; --line: #363a41; --mark: #ffb27a; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; color: var(--text); background: var(--ground);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; }
p, dd, dt { color: var(--soft); }
summary { cursor: pointer; }
summary:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
@media print { :root { color-scheme: light; --text: #000; --soft: #333; --ground: #fff; --line: #999; --mark: #000; }
  body { max-width: none; padding: 0; } details, tr { break-inside: avoid; } }
"""


def document(title: str, style: str, body: str) -> str:
    """Put the body of a page, which is HTML, into the frame; the title is plain text."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{plain(title)}</title>
<style>{_STYLE}{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def plain(text: str) -> str:
    """Sanitize and escape a text from outside."""
    return escape(sanitize(text))
