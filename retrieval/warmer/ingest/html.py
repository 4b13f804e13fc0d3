"""Split HTML into sections: the main content, without navigation and other boilerplate."""

from collections.abc import Iterator
from urllib.parse import urldefrag

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, Tag

from warmer.errors import IngestError
from warmer.ingest.lines import LineCollector
from warmer.ingest.section import Heading, Section, extend_path, title_of

_MAIN_SELECTORS = ("main", "[role=main]", "article", "body")
_BOILERPLATE = (
    "head, title, nav, aside, footer, script, style, noscript, template, button, select, textarea, svg, iframe, "
    "dialog, .headerlink, [hidden], [role=navigation], [role=search], [role=banner], [role=contentinfo], "
    "[role=complementary]"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MAX_DEPTH = 10_000
_PERMALINK_TEXTS = {"", "#", "¶", "§", "🔗"}
_BLOCKS = {
    *("div", "p", "pre", "blockquote", "hr", "table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "li", "dl"),
    *("dt", "dd", "body", "main", "article", "section", "header", "figure", "figcaption", "details", "summary"),
    *("center", "address"),
}


def html_sections(text: str) -> Iterator[Section]:
    """Split HTML at the headings of its main content.

    The page's title is the outermost one unless there is a heading of level 1. Sections have a url if the page
    declares its own.

    Raises:
        IngestError: The tags are nested too deep.
    """
    soup = _DepthLimitedSoup(text, "html.parser")
    page_url = _page_url(soup)
    page_title = soup.title.get_text() if soup.title else ""
    main = _main_content(soup)
    path = [] if main.find("h1") else [Heading(0, page_title, 0, 0)]
    url, lines = page_url, LineCollector()
    for node, opens in _walk(main):
        if not isinstance(node, Tag):
            lines.add_text(str(node))
        elif opens and node.name in _HEADINGS:
            yield Section(title_of(path), *lines.take(node.sourceline or 1), url=url)
            anchor = _anchor(node)
            path = extend_path(path, Heading(_HEADINGS[node.name], _heading_text(node), 0, 0))
            url = f"{page_url}#{anchor}" if page_url and anchor else page_url
        elif node.name in _BLOCKS:
            lines.open_block(node.name, node.sourceline or 1) if opens else lines.close_block()
        elif opens and node.name == "br":
            lines.add_text("\n", verbatim=True)
        elif opens and node.name in {"td", "th"}:
            lines.add_cell()
    yield Section(title_of(path), *lines.take(1), url=url)


class _DepthLimitedSoup(BeautifulSoup):
    def pushTag(self, tag: Tag) -> None:  # noqa: N802
        """Refuse a depth at which the parser gets slow, counting tags that are never closed."""
        if len(self.tagStack) > _MAX_DEPTH:
            raise IngestError(f"nested deeper than {_MAX_DEPTH} tags", "damaged")
        super().pushTag(tag)


def _main_content(soup: BeautifulSoup) -> Tag:
    main = next((found for selector in _MAIN_SELECTORS if (found := soup.select_one(selector))), soup)
    for boilerplate in main.select(_BOILERPLATE):
        boilerplate.extract()
    for header in main.select("header"):
        if not header.find(list(_HEADINGS)):
            header.extract()
    return main


def _walk(root: Tag) -> Iterator[tuple[PageElement, bool]]:
    """Walk a tree in document order: yield each string, and each tag on opening (True) and closing (False).

    Headings are yielded on opening only, without their contents.
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
            if child.name not in _HEADINGS:
                stack.append((child, iter(child.contents)))


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
