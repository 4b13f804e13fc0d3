"""Tell text from what says nothing to a reader: pictures as text, labels, directives, links alone."""

import re

_DATA_URL = re.compile(r"(data:[\w/+.-]+(?:;[\w=.-]+)*;base64,)[A-Za-z0-9+/=_%-]+")
_LONG_RUN = re.compile(r"[!-~]{200,}")
_ENCODED_LINES = re.compile(r"(?:^[ \t>#*]*[A-Za-z0-9+/]{60,}={0,2}[ \t]*\n){3,}", re.MULTILINE)
_LETTERS_OF_A_RUN = 0.5  # a rule of a table has none

_WITHOUT_TEXT = (
    r"toctree|autosummary|contents|index|raw|include|literalinclude|image|tabularcolumns|meta|highlight|role"
)
_ADMONITIONS = (
    r"note|warning|tip|hint|important|caution|danger|error|attention|admonition|topic|rubric|seealso|todo|tab"
)
_SILENT_DIRECTIVE = re.compile(
    rf"""
      \.\.[ ]_[^\n]*:[^\n]*                                # a label
    | \.\.[ ]\|[^|\n]+\|[ ][\w-]+::[\s\S]*                 # a substitution
    | \.\.[ ](?:[\w:+.-]+:)?(?:{_WITHOUT_TEXT})::[\s\S]*
    | \.\.[ ](?!(?:{_ADMONITIONS})::[ \t]*\S)[\w:+.-]+::[ \t]*\S*[ \t]*(?:\n[ \t]+:[^\n]*)*
    | \.\.[ ](?![\[_|])(?![\w:+.-]+::)[^\n]*(?:\n[ \t]+[^\n]*|\n)*  # a comment
    """,
    re.VERBOSE,
)
_SILENT_FENCE = re.compile(rf"(?:`{{3,}}|~{{3,}}|:{{3,}})[ ]?\{{(?:{_WITHOUT_TEXT})\}}")  # a directive in MyST
_COMMENT = re.compile(r"\.\.(?:\n(?:[ \t]+[^\n]*)?)*")
_IMAGE = r"!\[[^\]]*\](?:\([^)\n]*\)|\[[^\]]*\])?"
_SILENT = re.compile(
    rf"""
      <!--[\s\S]*?--> | </?[A-Za-z][^<>\n]*>
    | \[[ ]*{_IMAGE}[ ]*\](?:\([^)\n]*\)|\[[^\]]*\])? | {_IMAGE}
    | ^[ ]{{0,3}}\[(?!\^)[^\]\n]+\]:[^\n]*$                # where a link leads
    | \{{:[^}}\n]*\}} | \[[ ]*\](?:\([^)\n]*\)|\[[^\]\n]*\]) | ^[ \t]*/{{3,}}[ \t]*$
    | ^__[ ]\S+$ | ^\([\w:.+-]+\)=[ \t]*$ | \[\]\(\)\{{[^}}\n]*\}} | ^\{{:?[ ]*[#.][^}}\n]*\}}[ \t]*$
    | ^\[(?:TOC|\[_?toc_?\])\][ \t]*$
    | ^\{{%[^\n]*?%\}}[ \t]*$ | ^\{{\{{[^\n]*?\}}\}}[ \t]*$ | ^-+8<-+[^\n]*$
    | ^:::[ \t]+[\w.]+[.][\w.]+[ \t]*$(?:\n[ \t]+[^\n]*)*  # mkdocstrings
    | ^\|[\w-]+\|_{{0,2}}[ \t]*$
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_LINK = re.compile(
    r"\[[^\]\n]*\]\([^)\n]*\)|\[[^\]\n]+\]\[[^\]\n]*\]|\[\[[^\]\n]+\]\]|:\w+:`[^`\n]*`|`[^`\n]*<[^>\n]*>`__?|`[^`\n]+`__?"
    r"|<?https?://[^\s>)]+>?"
)
_FENCED = re.compile(
    r"^[ \t>]*(?:[-*+][ \t]+)?(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<code>[\s\S]*?)^[ \t>]*(?P=fence)", re.MULTILINE
)
_FENCE = re.compile(r"^[ \t>]*(?:[-*+][ \t]+)?(?:`{3,}|~{3,}).*$", re.MULTILINE)


def without_pictures(text: str) -> str:
    """Empty data URLs, and runs of 200 characters without a space, which nobody reads; lines stay where they are."""
    if ";base64," in text:
        text = _DATA_URL.sub(r"\1", text)
    text = _ENCODED_LINES.sub(lambda found: "\n" * found[0].count("\n"), text)
    return _LONG_RUN.sub(_without_run, text)


def _without_run(found: re.Match[str]) -> str:
    run = found[0]
    if sum(map(str.isalnum, run)) < _LETTERS_OF_A_RUN * len(run):
        return run
    inner = re.sub(r"[A-Za-z0-9+/=_-]{100,}", "", run)
    return inner if len(inner) < len(run) // 2 else ""


def is_markup(block: str, code: str = "") -> bool:
    """Tell whether a block has no text: a label, a directive such as `toctree`, an image, where a link leads.

    In `code`, the rows of a block between its fences, nothing is markup.
    """
    if _has_text(code):
        return bool(_SILENT_FENCE.match(block.strip()))
    bare = block.strip()
    if _COMMENT.fullmatch(bare) or _SILENT_FENCE.match(bare):
        return True
    if bare.startswith(".. "):
        return bool(_SILENT_DIRECTIVE.fullmatch(bare))
    return not _has_text(_SILENT.sub("", block))


def says_nothing(passage: str) -> bool:
    """Tell whether a passage has no text but links and markup; what stands between fences is text."""
    if any(_has_text(found["code"]) for found in _FENCED.finditer(passage)):
        return False
    return not _has_text(_LINK.sub("", _SILENT.sub("", _FENCE.sub("", passage))))


def _has_text(text: str) -> bool:
    return any(map(str.isalnum, text))
