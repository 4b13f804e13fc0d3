"""HTML to sections: the main content, without what surrounds it on every page."""

from collections.abc import Iterator
from urllib.parse import urldefrag

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, Tag

from warmer.errors import IngestError
from warmer.ingest.lines import Lines
from warmer.ingest.section import Heading, Section, below, title_of

_MAIN = ("main", "[role=main]", "article", "body")
_LEFT_OUT = (
    "head, title, nav, aside, footer, script, style, noscript, template, button, select, textarea, svg, iframe, "
    "dialog, .headerlink, [hidden], [role=navigation], [role=search], [role=banner], [role=contentinfo], "
    "[role=complementary]"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DEEPEST = 10_000
_MARKS = {"", "#", "¶", "§", "🔗"}  # the texts of links from a heading to itself
_BLOCKS = {
    *("div", "p", "pre", "blockquote", "hr", "table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "li", "dl"),
    *("dt", "dd", "body", "main", "article", "section", "header", "figure", "figcaption", "details", "summary"),
    *("center", "address"),
}


def html_sections(text: str) -> Iterator[Section]:
    """Cut HTML at the headings of its main content.

    The page's title is the outermost one if there is no heading of level 1. Sections have a url where the page says
    what its own is.

    Raises:
        IngestError: It is nested too deep.
    """
    soup = _Soup(text, "html.parser")
    page = _address(soup)
    name = soup.title.get_text() if soup.title else ""
    main = _main_content(soup)
    path = [] if main.find("h1") else [Heading(0, name, 0, 0)]
    url, lines = page, Lines()
    for node, opens in _walk(main):
        if not isinstance(node, Tag):
            lines.add(str(node))
        elif opens and node.name in _HEADINGS:
            yield Section(title_of(path), *lines.take(node.sourceline or 1), url=url)
            anchor = _anchor(node)
            path = below(path, Heading(_HEADINGS[node.name], _title(node), 0, 0))
            url = f"{page}#{anchor}" if page and anchor else page
        elif node.name in _BLOCKS:
            lines.begin(node.name, node.sourceline or 1) if opens else lines.end()
        elif opens and node.name == "br":
            lines.add("\n", verbatim=True)
        elif opens and node.name in {"td", "th"}:
            lines.add_cell()
    yield Section(title_of(path), *lines.take(1), url=url)


class _Soup(BeautifulSoup):
    def pushTag(self, tag: Tag) -> None:  # noqa: N802
        """Refuse a depth at which the parser gets slow; tags that are never closed count."""
        if len(self.tagStack) > _DEEPEST:
            raise IngestError(f"nested deeper than {_DEEPEST} tags", "damaged")
        super().pushTag(tag)


def _main_content(soup: BeautifulSoup) -> Tag:
    main = next((found for selector in _MAIN if (found := soup.select_one(selector))), soup)
    for boilerplate in main.select(_LEFT_OUT):
        boilerplate.extract()
    for header in main.select("header"):
        if not header.find(list(_HEADINGS)):
            header.extract()
    return main


def _walk(root: Tag) -> Iterator[tuple[PageElement, bool]]:
    """Go through a tree in order: each string, and each tag as it opens and as it closes; headings only open."""
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


def _address(soup: BeautifulSoup) -> str:
    said = [tag.get("href") for tag in soup.select("link[rel~=canonical]")]
    said += [tag.get("content") for tag in soup.select('meta[property="og:url"]')]
    urls = (urldefrag(url.strip())[0] for url in said if isinstance(url, str))
    return next((url for url in urls if url.startswith(("https://", "http://"))), "")


def _anchor(heading: Tag) -> str:
    """Find what a link to a heading ends with: an id on, in, right before or around it."""
    inside = heading.select_one("[id], a[name]")
    before = heading.find_previous_sibling()
    around = heading.parent if before is None and heading.parent and heading.parent.name in {"section", "div"} else None
    link = before if before and before.name == "a" and not before.get_text(strip=True) else None
    said = (tag.get("id") or tag.get("name") for tag in (heading, inside, link, around) if tag)
    return next((anchor for anchor in said if isinstance(anchor, str)), "")


def _title(heading: Tag) -> str:
    for link in heading.find_all("a"):
        if link.get_text(strip=True) in _MARKS:
            link.extract()
    return heading.get_text()
