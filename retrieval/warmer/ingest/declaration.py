"""Read declarations in source code: their names, their signatures, and what is around them.

Languages are told apart by few traits: how a statement ends, and what words begin a declaration. What is around a
declaration is found by indentation.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TYPE_WORDS = (
    r"class|struct|enum|interface|trait|protocol|union|record|object|module|mod|namespace|package|message|service|oneof"
    r"|extension|extend|impl|actor|mixin|companion|annotation|library|type|abstract|data|sealed|indirect"
)
_FUNCTION_WORDS = r"func|fn|fun|function|def|rpc|macro_rules!|macro|constructor|init|deinit|subscript|operator"
_VALUE_WORDS = r"const|let|var|val|static|typedef|typealias|using|event|delegate|case|alias|attr_\w+|define|enumerator"
_MODIFIERS = (
    r"(?:(?:pub(?:\([^)]*\))?|public|private|protected|internal|fileprivate|open|export|default|declare|final|readonly|ref"
    r"|abstract|sealed|partial|virtual|override|async|inline|unsafe"
    r"|extern(?: \"\w+\")?|static|const|case|data|inner|implicit"
    r"|lazy|mutating|required|convenience|indirect|suspend|tailrec|infix|external|annotation|companion|base|factory|late)\s+)*"
)
_TYPE = re.compile(
    rf"^{_MODIFIERS}(?P<word>{_TYPE_WORDS})\b(?:\s+(?:class|struct|enum|object|interface))?\s*(?P<rest>.*)", re.S
)
_FUNCTION = re.compile(
    rf"^{_MODIFIERS}(?:{_FUNCTION_WORDS})(?!\w)\*?\s*(?:\([^)]*\)\s*)?(?:<[^>]*>\s*)?(?P<name>(?:self\.)?[\w$.:]*[?!=]?)"
)
_VALUE = re.compile(rf"^{_MODIFIERS}(?:{_VALUE_WORDS})\s+(?:mut\s+)?:?(?P<name>[\w$]+)")
_DEFINE = re.compile(r"#\s*define\s+(?P<name>\w+)(?:\([^)]*\))?")
_GROUP = re.compile(r"^(?P<word>const|var|type)\s*\((?=\s|$)")
_CALLED = re.compile(r"(?P<name>(?:operator\s*\S{1,3}|[\w$:~]+[?!]?))\s*(?:<[^<>]*>\s*)?\(")
_ANNOTATION = re.compile(r"@(?!interface\b)[\w.:]+\s*|#!?\[|\[\[?(?=[\w:]+[\](,. ])|__attribute__\s*|template\s*<")
_STATEMENT = re.compile(
    r"(?:return|if|else|for|while|switch|do|try|catch|throw|break|continue|import|include|require|raise|yield|goto|defer|go"
    r"|elsif|unless|begin|end|assert|echo|print|await|delete|new|super|from|match|loop|select|puts|guard)\b"
)
_KEYWORDS = {"if", "for", "while", "switch", "catch", "return", "sizeof", "function", "fn", "new", "match", "when"}
_FIELD_COLON = re.compile(r"^(?P<name>[\w$#]+|\"[^\"]+\"|'[^']+'|\[[^\]]+\])\s*[?!]?\s*:(?!:)")
_ENUM_STRING = re.compile(r"^\|\s*[\"'](?P<name>[^\"']+)[\"']")
_NAMED_CONSTRUCTOR = re.compile(rf"{_MODIFIERS}(?P<name>[A-Z]\w*\.\w+)\s*\(")  # of Dart
_FUNCTION_VALUE = re.compile(r"=>|\bfunction\b|[=:]\s*(?:async\s*)?\([^()]*\)$|=\s*(?:async\s*)?[\w$]+$")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_RUBY_CONSTANT = re.compile(r"^(?P<name>[A-Z]\w*)\s*=[^=~]")
_NAMELESS = {"class", "object", "companion", "extension", "mod"}
_SHORT_TYPES = {"type", "class", "record", "data"}  # may be all there is: "type Size = 1", "record Point(int x)"
_OPEN, _CLOSED = "([{", ")]}"
_LINE_ENDS = {
    ".go",
    ".rb",
    ".swift",
    ".kt",
    ".kts",
    ".scala",
    ".ts",
    ".tsx",
    ".js",
    ".mjs",
    ".jsx",
}  # a line ends a statement
_FIELDS_WITH_COLON = {".ts", ".tsx", ".rs", ".js", ".mjs", ".jsx", ".swift"}
_MAX_ROWS = 12
_MAX_SIGNATURE = 400


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared; without a name, nothing is.

    Attributes:
        name: Its name.
        signature: The code before its body, on one line and without annotations.
        is_function: Whether statements may be inside.
    """

    name: str = ""
    signature: str = ""
    is_function: bool = False


def read_declaration(rows: Sequence[str], at: int, suffix: str) -> Declaration:
    """Read the declaration that begins at a row, behind its annotations; there is none if that row is blank."""
    if at >= len(rows) or not rows[at].strip() or rows[at].strip()[0] in "})]":
        return Declaration()
    code = _without_annotations("\n".join(rows[at : at + _MAX_ROWS]))
    signature = _signature(code, suffix)
    if not signature or _STATEMENT.match(signature):
        return Declaration()
    return _named(signature, suffix)


def trailing_declaration(code: str, suffix: str) -> Declaration:
    """Read the declaration that stands before a comment on the same row."""
    return read_declaration([code], 0, suffix)


def enclosing(rows: Sequence[str], at: int, suffix: str) -> list[Declaration]:
    """Return the declarations around a row, outermost first: those above that are indented less."""
    around: list[Declaration] = []
    indent = _indent(rows[at]) if at < len(rows) else 0
    for row in range(at - 1, -1, -1):
        text = rows[row].strip()
        if not indent:
            break
        if text and _indent(rows[row]) < indent and not _is_rest(text):
            indent = _indent(rows[row])
            declared = read_declaration(rows, _beginning(rows, row), suffix)
            opens = _GROUP.match(text)
            around.append(Declaration() if opens else declared if declared.name else Declaration(is_function=True))
    return [*reversed(around)]


def _is_rest(text: str) -> bool:
    """Tell whether a row only opens or closes, is a label such as `public:`, or is an annotation."""
    return (
        not re.search(r"\w", text)
        or bool(re.fullmatch(r"(?:public|private|protected|signals|default)\s*:", text))
        or (text[0] in "@#" and bool(_ANNOTATION.match(text)) and not re.search(r"\{\s*$", text))
    )


def _beginning(rows: Sequence[str], row: int) -> int:
    """Return the row on which a declaration begins whose last row is given, as one after a list of parameters."""
    text = rows[row].strip()
    if text[0] not in _CLOSED:
        return row
    depth = 0
    for above in range(row, max(row - _MAX_ROWS, -1), -1):
        for character in reversed(rows[above]):
            depth += (character in ")]") - (character in "([")
        if depth <= 0:
            return above
    return row


def _named(signature: str, suffix: str) -> Declaration:
    if group := _GROUP.match(signature):
        return Declaration(group["word"], group["word"])
    if declared := _type(signature):
        return declared
    if found := _FUNCTION.match(signature):
        name = found["name"].strip(".:?!") and found["name"].strip(".:")
        name = name or ("init" if "init" in signature else "")
        return Declaration(name, signature, is_function=True) if name else Declaration()
    if signature.startswith("typedef") and (name := _last_name(signature)):
        return Declaration(name, signature)
    found = _DEFINE.match(signature) or (None if _is_c_constant(signature, suffix) else _VALUE.match(signature))
    if found:
        return Declaration(found["name"], signature, bool(_FUNCTION_VALUE.search(signature)))
    return _member(signature, suffix)


def _type(signature: str) -> Declaration | None:
    """Read the declaration of a type or a namespace; "type: string" and "type = 1" are fields of that name."""
    found = _TYPE.match(signature)
    if not found:
        return None
    rest = re.sub(r"^<[^>]*>\s*", "", found["rest"])
    words = re.match(r"[\w$.:\\]+(?:\s+for\s+[\w$.:]+)?", rest)
    if not words:
        return Declaration(found["word"], signature) if found["word"] in _NAMELESS else None
    is_type = found["word"] in _SHORT_TYPES or not re.match(r"[\w$]+\s*\??\s*[:=(](?!:)", rest)
    name = re.split(r"\s+for\s+", words[0])[-1].strip(".:")
    return Declaration(name, signature) if is_type and name else None


def _member(signature: str, suffix: str) -> Declaration:
    """Read a method, field or enum value, which no word announces."""
    found = _ENUM_STRING.match(signature) or (_RUBY_CONSTANT.match(signature) if suffix == ".rb" else None)
    if not found and suffix in _FIELDS_WITH_COLON:
        found = _FIELD_COLON.match(re.sub(rf"^{_MODIFIERS}", "", signature))
    if found:
        return Declaration(found["name"].strip("\"'"), signature, bool(_FUNCTION_VALUE.search(signature)))
    if suffix == ".rb":
        return Declaration()
    before = _before_value(signature)
    if suffix == ".dart" and (made := _NAMED_CONSTRUCTOR.match(before)):
        return Declaration(made["name"], signature, is_function=True)
    if called := _CALLED.search(before):
        name = called["name"].strip(".:")
        is_statement = (
            name in _KEYWORDS
            or (suffix == ".go" and "." in before[: called.start()])
            or "." in before[: called.start() + 1]
        )
        return Declaration() if is_statement else Declaration(name, signature, is_function=True)
    if suffix == ".go":
        field = re.match(r"(?P<name>[A-Za-z_]\w*)(?:\s*,\s*\w+)*(?:\s+\S|$|\s*=)", signature)
        return Declaration(field["name"], signature) if field and ":=" not in signature else Declaration()
    name = _last_name(before)
    return (
        Declaration(name, signature)
        if name and not re.search(r"\.\w+\s*$|\+\+|--|[+*/|&-]=", signature)
        else Declaration()
    )


def _is_c_constant(signature: str, suffix: str) -> bool:
    """Tell whether `static` or `const` is only a modifier before a type, as in C and Java."""
    return suffix not in {
        ".ts",
        ".tsx",
        ".js",
        ".mjs",
        ".jsx",
        ".go",
        ".rs",
        ".swift",
        ".kt",
        ".scala",
        ".php",
        ".rb",
    } and bool(re.match(rf"^{_MODIFIERS}(?:const|static|event)\b", signature))


def _before_value(signature: str) -> str:
    depth = 0
    for place, character in enumerate(signature):
        depth += (character in _OPEN) - (character in _CLOSED)
        if character == "=" and not depth and not re.search(r"operator[^\w\s(]*$", signature[:place]):
            return signature[:place]
    return signature


def _last_name(code: str) -> str:
    pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", code)
    if pointer:
        return pointer[1]
    bare = re.sub(r"\[[^\]]*\]|\{.*|[;:].*$", "", code).strip()
    words = _WORD.findall(bare)
    return words[-1] if words and bare.endswith(words[-1]) else ""


def _without_annotations(code: str) -> str:
    """Drop the annotations, attributes and decorators that code begins with, whatever brackets they have."""
    code = code.lstrip()
    while found := _ANNOTATION.match(code):
        end = found.end()
        opening = code[end - 1 : end] if code[end - 1 : end] in "[<" else code[end : end + 1]
        start = end - 1 if code[end - 1 : end] in "[<" else end
        if opening in {"(", "[", "<"}:
            start = found.start() + found[0].index("[") if opening == "[" and "[" in found[0] else start
            end = _end_of_brackets(code, start, "<>" if opening == "<" else "")
        code = code[end:].lstrip()
    return code


def _end_of_brackets(code: str, start: int, angles: str = "") -> int:
    depth = 0
    for place, character in _characters(code, start):
        depth += (character in _OPEN + angles[:1]) - (character in _CLOSED + angles[1:])
        if not depth:
            return place + 1
    return len(code)


def _characters(code: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the characters outside string literals, which end at the end of a line."""
    quote = ""
    for place in range(start, len(code)):
        character = code[place]
        if quote:
            quote = "" if character == "\n" or (character == quote and code[place - 1] != "\\") else quote
        elif character in '"`' or (character == "'" and code.find("'", place + 1, place + 4) > 0):
            quote = character
        else:
            yield place, character


def _signature(code: str, suffix: str) -> str:
    """Return the code before the body, on one line."""
    if code.startswith("#"):
        return " ".join(code.partition("\n")[0].split())[:_MAX_SIGNATURE]
    depth, end = 0, len(code)
    for place, character in _characters(code):
        if not depth and (character in "{;" or _ends_line(code, place, character, suffix)):
            end = place
            break
        depth += (character in _OPEN) - (character in _CLOSED)
        if depth < 0:
            end = place
            break
    if (arrow := re.search(r"\s*=>\s*$", code[:end])) and end < len(code) and code[end] == "{":
        end = arrow.start()
    return " ".join(code[:end].rstrip(" \t\n,:=").split())[:_MAX_SIGNATURE]


def _ends_line(code: str, place: int, character: str, suffix: str) -> bool:
    """Tell whether a statement ends at a line end, or at the comma at one, as in a list of enum values."""
    if character == ",":
        return code[place + 1 : place + 2] in {"\n", ""} or code[place + 1 :].lstrip(" \t")[:1] == "\n"
    if character != "\n":
        return False
    following = code[place + 1 :].lstrip(" \t")
    if following[:1] in {"\n", "", "}", "{", "@"}:
        return True
    line = code[:place].rstrip()
    goes_on = line.endswith((",", "=", "(", "<", "|", "&", "->", ":", "extends", "implements")) or following.startswith(
        (".", "where ", "throws ", ": ", "->", "extends ", "implements ", "| ", "with ")
    )
    return (suffix in _LINE_ENDS or code.startswith(("def ", "class "))) and not goes_on


def _indent(row: str) -> int:
    expanded = row.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())
