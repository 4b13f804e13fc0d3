"""Convert MDX to Markdown without moving any line."""

import re

_TOKEN = re.compile(
    r"""
    ^[ \t]*(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n [\s\S]*? (?:^[ \t]*(?P=fence)|\Z)
    | (?<!`)(?P<tick>`++) [^\n]{,500}? (?<!`) (?P=tick) (?!`)
    | (?P<comment>\{/\* [\s\S]{,1000}? \*/\})
    | (?P<module>
        ^(?: import[ ]+(?:["'{*]|[\w$]+\s*(?:,|from\b))
           | export[ ]+(?:[{*]|(?:default|const|let|var|function|class|async)\b) )
        [^\n]* (?:\n(?![ \t]*$)[^\n]*)* )
    | (?P<tag></?[A-Z][\w.]*(?=[\s/>]) | </?(?=>))
    """,
    re.MULTILINE | re.VERBOSE,
)
_MAX_TAG_LENGTH = 1000


def mdx_to_markdown(text: str) -> str:
    """Drop imports, exports, comments and component tags; keep code and the content of components."""
    parts = []
    at = 0
    while found := _TOKEN.search(text, at):
        start, end = found.span()
        parts.append(text[at:start])
        if found["fence"] or found["tick"]:
            parts.append(found[0])
        else:
            end = _end_of_tag(text, end) if found["tag"] else end
            parts.append("\n" * text.count("\n", start, end))
        at = end
    return "".join(parts) + text[at:]


def _end_of_tag(text: str, at: int) -> int:
    """Return where a tag ends, skipping angle brackets in quotes and braces; `at` if there is no end."""
    quote, depth = "", 0
    for position in range(at, min(len(text), at + _MAX_TAG_LENGTH)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "<>" and not depth:
            return position + (character == ">")
        else:
            depth += (character == "{") - (character == "}")
    return at
