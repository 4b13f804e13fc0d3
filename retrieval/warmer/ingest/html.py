"""Split HTML into sections: the main content, without navigation and other boilerplate."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urldefrag

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, Tag

from warmer.errors import IngestError
from warmer.ingest.lines import LineCollector
from warmer.ingest.page import HEADINGS, clear, entry_name, main_content, name_tabs
from warmer.ingest.section import Heading, Section, extend_path, title_of

_MAX_DEPTH = 10_000
_PERMALINK_TEXTS = {"", "#", "¶", "§", "🔗", "\u200b", "\uf0c1"}
_BLOCKS = {
    *("div", "p", "blockquote", "hr", "table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "li", "dl", "label"),
    *(
        "dt",
        "dd",
        "body",
        "main",
        "article",
        "section",
        "header",
        "figure",
        "figcaption",
        "details",
        "summary",
        "aside",
    ),
    *("center", "address", "fieldset", "legend", "caption"),
}
_LANGUAGE = re.compile(r"(?:language|lang|highlight|highlight-source|brush:)[- ]?([\w+#.-]+)")
_TEMPLATE = re.compile(r"(?:\s|<!--(?:(?!-->)[\s\S])*-->)*\{[%#{]")
_TEMPLATE_TAG = re.compile(r"\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}|\{#[\s\S]*?#\}")
_LINE = re.compile(r"(?:^|-)(?:line|token-line|ec-line|code-line)$")


@dataclass(frozen=True, slots=True)
class HtmlPart:
    """A heading (its level, else 0), or the text up to the next one, with the line of each row in the file."""

    text: str
    lines: list[int]
    heading: int = 0
    anchor: str = ""


def html_sections(text: str, name: str = "") -> Iterator[Section]:
    """Split HTML at the headings of its main content.

    The page's title, or else `name`, is the outermost one unless there is a heading of level 1. Sections have a url if
    the page declares its own.

    Raises:
        IngestError: The tags are nested too deep.
    """
    soup = _DepthLimitedSoup(_without_template(text), "html.parser")
    page_url = _page_url(soup)
    titles = (tag.get_text().strip() for tag in (soup.title, soup.find("h1")) if tag)
    page_title = next(filter(None, titles), name)
    main = main_content(soup)
    own = [heading for heading in main.find_all("h1") if heading.get_text(strip=True)]
    path = [] if own else [Heading(0, page_title, 0, 0)]
    opening = _heading_text(own[0]) if len(own) == 1 else page_title
    url = page_url
    for part in _parts(main):
        if part.heading:
            path = extend_path(path, Heading(part.heading, part.text, 0, 0))
            url = f"{page_url}#{part.anchor}" if page_url and part.anchor else page_url
        else:
            yield Section(title_of(path or [Heading(0, opening, 0, 0)]), part.text, part.lines, url=url)


def _without_template(text: str) -> str:
    """Drop the tags of a template of Jinja or Django, which begins with one; lines stay where they are."""
    if not _TEMPLATE.match(text):
        return text
    return _TEMPLATE_TAG.sub(lambda found: "\n" * found[0].count("\n"), text)


def html_parts(text: str) -> Iterator[HtmlPart]:
    """Read a fragment of HTML, as it stands in Markdown: headings, and the text between them."""
    soup = _DepthLimitedSoup(text, "html.parser")
    name_tabs(soup)
    clear(soup)
    return (part for part in _parts(soup) if part.text.strip())


def _parts(root: Tag) -> Iterator[HtmlPart]:
    lines = LineCollector()
    for node, opens in _walk(root):
        if not isinstance(node, Tag):
            lines.add_text(str(node))
            continue
        if opens:
            lines.go_to(node.sourceline or 1)
        if heading := _heading(node, opens=opens):
            yield HtmlPart(*lines.take(node.sourceline or 1))
            yield heading
        if node.name == "pre":
            lines.add_code(_code(node), _language(node), node.sourceline or 1) if opens else None
        elif node.name in _BLOCKS:
            lines.open_block(node.name, node.sourceline or 1) if opens else lines.close_block()
        elif opens and node.name == "br":
            lines.add_text("\n", verbatim=True)
        elif opens and node.name in {"td", "th"}:
            lines.add_cell()
    yield HtmlPart(*lines.take(1))


class _DepthLimitedSoup(BeautifulSoup):
    def pushTag(self, tag: Tag) -> None:  # noqa: N802
        """Refuse a depth at which the parser gets slow, counting tags that are never closed."""
        if len(self.tagStack) > _MAX_DEPTH:
            raise IngestError(f"nested deeper than {_MAX_DEPTH} tags", "damaged")
        super().pushTag(tag)


def _walk(root: Tag) -> Iterator[tuple[PageElement, bool]]:
    """Walk a tree in document order: yield each string, and each tag on opening (True) and closing (False).

    Headings and code are yielded on opening only, without their contents.
    """
    stack = [(root, iter(root.contents))]
    while stack:
        tag, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield tag, False
        elif type(child) in {NavigableString, CData}:
            yield child, True
        elif isinstance(child, Tag):
            yield child, True
            if child.name not in HEADINGS and child.name != "pre":
                stack.append((child, iter(child.contents)))


def _heading(tag: Tag, *, opens: bool) -> HtmlPart | None:
    """Return the heading that a tag is; the end of an entry of an API is one without text, which ends its title."""
    line = [tag.sourceline or 1]
    if opens and tag.name in HEADINGS:
        return HtmlPart(_heading_text(tag), line, HEADINGS[tag.name], _anchor(tag))
    if tag.name not in {"dt", "dd"} or opens != (tag.name == "dt") or not (name := entry_name(tag)):
        return None
    level = len(HEADINGS) + sum(around.name == "dl" for around in tag.parents)
    return HtmlPart(name, line, level, str(tag.get("id") or "")) if opens else HtmlPart("", line, level)


def _code(pre: Tag) -> str:
    """Return the text of code, in which a line may be an element of its own."""
    parts: list[str] = []
    for node, opens in _walk(pre):
        if not isinstance(node, Tag):
            parts.append(str(node))
        elif (node.name == "br" and opens) or (
            not opens and node is not pre and _is_line(node) and not "".join(parts[-1:]).endswith("\n")
        ):
            parts.append("\n")
    return "".join(parts).replace("\xa0", " ").replace("\u200b", "")


def _is_line(tag: Tag) -> bool:
    following = tag.next_sibling
    if isinstance(following, NavigableString) and following.startswith("\n"):
        return False
    inner = tag.find(_is_line) if tag.name in {"div", "figure"} else None
    return inner is None and (tag.name == "div" or any(_LINE.search(name) for name in tag.get("class") or []))


def _language(pre: Tag) -> str:
    tags = [
        tag for tag in (pre, pre.find("code"), pre.parent, pre.parent and pre.parent.parent) if isinstance(tag, Tag)
    ]
    names = [str(tag.get("data-language") or tag.get("data-lang") or "") for tag in tags]
    found = (_LANGUAGE.fullmatch(name) for tag in tags for name in tag.get("class") or [])
    names += [match[1] for match in found if match]
    return next((name for name in names if name not in {"", "default", "none", "notranslate", "text", "plaintext"}), "")


def _page_url(soup: BeautifulSoup) -> str:
    declared = [tag.get("href") for tag in soup.select("link[rel~=canonical]")]
    declared += [tag.get("content") for tag in soup.select('meta[property="og:url"]')]
    urls = (urldefrag(url.strip())[0] for url in declared if isinstance(url, str))
    return next((url for url in urls if url.startswith(("https://", "http://"))), "")


def _anchor(heading: Tag) -> str:
    """Return the fragment that links to a heading: an id on it, in it, right before it or around it."""
    inside = heading.select_one("[id], a[name]")
    before = heading.find_previous_sibling()
    around = heading.parent if before is None and heading.parent and heading.parent.name in {"section", "div"} else None
    link = before if before and before.name == "a" and not before.get_text(strip=True) else None
    ids = (tag.get("id") or tag.get("name") for tag in (heading, inside, link, around) if tag)
    return next((anchor for anchor in ids if isinstance(anchor, str)), "")


def _heading_text(heading: Tag) -> str:
    for link in heading.find_all("a"):
        if link.get_text(strip=True) in _PERMALINK_TEXTS:
            link.extract()
    return heading.get_text()
