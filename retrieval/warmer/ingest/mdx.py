"""Convert MDX to Markdown without moving any line."""

import re

_TOKEN = re.compile(
    r"""
    ^[ \t]*(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n [\s\S]*? (?:^[ \t]*(?P=fence)|\Z)
    | (?<!`)(?P<tick>`++) [^\n]{,500}? (?<!`) (?P=tick) (?!`)
    | (?P<math>\$\$[\s\S]{,2000}?\$\$ | \$[^\s$][^\n$]{,200}?\$)
    | (?P<comment>\{/\* [\s\S]{,1000}? \*/\})
    | (?P<module>
        ^(?: import[ ]+(?:["'{*]|[\w$]+\s*(?:,|from\b))
           | export[ ]+(?:[{*]|(?:default|const|let|var|function|class|async)\b) ))
    | (?P<tag></?[A-Za-z][\w.:-]*(?=[\s/>]) | </?(?=>))
    | (?P<expression>\{(?=[\w$`"'(\[!.]))
    """,
    re.MULTILINE | re.VERBOSE,
)
_MAX_TAG_LENGTH = 2000
_MAX_MODULE_LENGTH = 20_000
_OPEN, _CLOSED = "([{", ")]}"
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|\{\s*(?:"([^"]*)"|'([^']*)'|`([^`$]*)`)\s*\})""")
_TITLES = (
    "label",
    "title",
    "heading",
    "header",
    "question",
    "query",
    "path",
    "body",
    "param",
    "caption",
    "summary",
    "alt",
)
_MORE = ("description", "subtitle", "tagline")
_LITERAL = re.compile(r"""\{\s*(?:`([^`]*)`|"([^"\n]*)"|'([^'\n]*)')\s*\}""")
_PLAIN = {"img", "source", "video", "audio", "iframe"}


def is_mdx(text: str) -> bool:
    """Tell whether a document imports components, as a `.md` of Docusaurus may."""
    return bool(re.search(r"^import +[\w{*][^\n]* from ['\"][^'\"\n]+['\"];?[ \t]*$", text, re.MULTILINE)) and bool(
        re.search(r"^[ \t]*<[A-Z][\w.]*[\s/>]", text, re.MULTILINE)
    )


def mdx_to_markdown(text: str) -> str:
    """Drop imports, exports, comments, expressions and component tags; keep code and what components say.

    What a component says is its content, and its attributes such as `label`, `title` and `alt`.
    """
    parts = []
    at = 0
    while found := _TOKEN.search(text, at):
        start, end = found.span()
        parts.append(text[at:start])
        if found["fence"] or found["tick"] or found["math"]:
            parts.append(found[0])
        elif found["tag"]:
            end = _end_of_tag(text, end)
            said = _said(found["tag"], text[start:end])
            parts.append(said + " " if said.endswith(":") and text[end : end + 1] not in {"\n", " "} else said)
        elif found["expression"]:
            said, end = _expression(text, start)
            parts.append(said)
        else:
            end = _end_of_module(text, start) if found["module"] else end
            parts.append("\n" * text.count("\n", start, end))
        at = max(end, start + 1)
    return "".join(parts) + text[at:]


def _said(name: str, tag: str) -> str:
    """Return what a tag says by its attributes, with as many line ends as the tag has."""
    lines = "\n" * tag.count("\n")
    component = name.lstrip("</")
    is_html = component.islower() and component not in _PLAIN
    if is_html and "{" not in tag:
        return tag
    if is_html:
        return f"{name}{'/' if tag.endswith('/>') else ''}>{lines}"
    values = {
        match[1]: " ".join(next(filter(None, match.groups()[1:]), "").split()) for match in _ATTRIBUTE.finditer(tag)
    }
    titles = [values[key] for key in _TITLES if values.get(key)][:1] + [values[key] for key in _MORE if values.get(key)]
    if not titles:
        return lines
    return ": ".join(titles) + ("" if tag.endswith("/>") else ":") + lines


def _expression(text: str, start: int) -> tuple[str, int]:
    """Return what an expression says, which is a text or nothing, and where it ends."""
    literal = _LITERAL.match(text, start)
    if literal:
        return next((one for one in literal.groups() if one is not None), ""), literal.end()
    end = _balanced(text, start, _MAX_TAG_LENGTH)
    return ("\n" * text.count("\n", start, end), end) if end else (text[start], start + 1)


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


def _end_of_module(text: str, start: int) -> int:
    """Return where an import or export ends: at the end of a line with all brackets closed."""
    paragraph = re.compile(r"\n[ \t]*\n|\Z").search(text, start)
    return _balanced(text, start, _MAX_MODULE_LENGTH, lines=True) or (paragraph.start() if paragraph else len(text))


def _balanced(text: str, start: int, most: int, *, lines: bool = False) -> int:
    """Return where brackets from `start` on are closed, with `lines` at the end of a line; 0 if nowhere."""
    quote, depth = "", 0
    for position in range(start, min(len(text), start + most)):
        character = text[position]
        if quote:
            quote = "" if character == quote or (character == "\n" and quote != "`") else quote
        elif character in "\"'`":
            quote = character
        elif character in _OPEN or character in _CLOSED:
            depth += 1 if character in _OPEN else -1
            if depth <= 0 and not lines:
                return position + 1
        elif lines and character == "\n" and depth <= 0:
            return position
    return len(text) if lines and depth <= 0 and len(text) <= start + most else 0
