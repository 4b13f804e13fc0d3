"""MDX to Markdown: what is for programs is left out, each line stays where it is."""

import re

_SOUGHT = re.compile(
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
_LONGEST_TAG = 1000


def markdown_of(text: str) -> str:
    """Leave out imports, exports, comments and the tags of components; code and what is between tags stays."""
    parts = []
    at = 0
    while found := _SOUGHT.search(text, at):
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
    """Find where a tag ends; quotes and braces may hold more of its brackets."""
    quote, depth = "", 0
    for position in range(at, min(len(text), at + _LONGEST_TAG)):
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
