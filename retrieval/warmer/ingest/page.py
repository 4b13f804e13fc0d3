"""Find the main content of an HTML page, and clear it of what is not text."""

import re
from itertools import takewhile

from bs4 import BeautifulSoup
from bs4.element import Tag

HEADINGS = {f"h{level}": level for level in range(1, 7)}

_BOILERPLATE = (
    "head, title, nav, footer, script:not([type^='math/tex']), style, noscript, template, select, textarea, svg, "
    "iframe, dialog, .headerlink, .hash-link, .anchor-link, .sl-anchor-link, .anchorjs-link, .viewcode-link, "
    "#breadcrumbs, #breadcrumb-section, .breadcrumbs, .breadcrumb, .page-metadata, #footer, "
    ".toctree-wrapper, .indextable, .genindex-jumpbox, "
    ".toc-mobile, .theme-doc-toc-mobile, .sphinxsidebar, .skip-link, .md-source-file, .md-content__button, .linenos, "
    ".lineno, .linenodiv, .line-number, .line-numbers-rows, [role=navigation], [role=search], [role=banner], "
    "[role=contentinfo], [role=dialog], [aria-modal=true], [data-pagefind-ignore]:not(main)"
)
_HIDDEN_COPIES = (
    "[aria-hidden=true]:not(pre, code, p, section, details, div[role=tabpanel]), .sr-only, .visually-hidden"
)
_MAIN_SELECTORS = (
    "main",
    "[role=main]",
    "article",
    "#main-content, .wiki-content, .markdown-body, .md-content, #content",
)
_SHARE = {"main": 0.25, "[role=main]": 0.25}  # of the page's text that it must have; others: most of it
_MOST = 0.6
_SIDE = re.compile(
    r"\b(?:toc|nav\w*|menu|breadcrumbs?|sidebar|contents|pagination|page-?nav)\b|table.of.contents|on.this.page", re.I
)
_ENTRY_NAME = (
    "dt > .descclassname, dt > .descname, dt > .sig-prename:not(.descclassname), dt > .sig-name:not(.descname)"
)
_TABS = ("[role=tablist]", ".tabbed-set > .tabbed-labels")
_PANELS = "[role=tabpanel], .tabbed-block"
_BLOCKS_OF_LAYOUT = [*HEADINGS, "pre", "table"]


def main_content(soup: BeautifulSoup) -> Tag:
    """Return the element with the page's text, without navigation and copies, with tabs and questions named.

    An `article` counts as the page only with most of its text.
    """
    body = soup.body or soup
    name_tabs(body)
    clear(body)
    whole = len(body.get_text())
    for selector in _MAIN_SELECTORS:
        found = body.select(selector)
        if found and len(found[0].get_text()) >= _SHARE.get(selector, _MOST) * whole:
            return found[0]
    return body


def clear(root: Tag) -> None:
    """Remove what is not text from a tree, and say by plain tags what scripts and styles would show."""
    for boilerplate in root.select(_BOILERPLATE):
        boilerplate.extract()
    _write_formulas(root)
    _name_questions(root)
    for copy in root.select(_HIDDEN_COPIES):
        copy.extract()
    _remove_navigation(root)
    for table in root.find_all("table"):
        if table.find(_BLOCKS_OF_LAYOUT):
            for tag in [table, *table.find_all(["thead", "tbody", "tr", "td", "th"])]:
                tag.name = "div"


def _remove_navigation(root: Tag) -> None:
    for aside in root.select("aside, [role=complementary], div.contents, div.topic.contents"):
        if _is_navigation(aside):
            aside.extract()
    for contents in root.find_all(_is_contents):
        contents.extract()
    for header in root.select("header"):
        if not header.find(list(HEADINGS)):
            header.extract()


def name_tabs(root: Tag) -> None:
    """Write the name of each tab above its panel, which a page hides until the tab is chosen."""
    for tabs in root.select(", ".join(_TABS)):
        labels = tabs.select("[role=tab]") or tabs.find_all("label") or tabs.find_all("li")
        panels = [
            panel
            for panel in (tabs.parent or root).select(_PANELS)
            if panel.find_parent(_is_panel) is tabs.find_parent(_is_panel)
        ]
        for place, label in enumerate(labels):
            by_id = root.find(id=label.get("aria-controls") or True) if label.get("aria-controls") else None
            panel = by_id or next(
                (one for one in panels if one.get("aria-labelledby") == (label.get("id") or "-")), None
            )
            panel = panel or (panels[place] if place < len(panels) else None)
            if isinstance(panel, Tag) and label.get_text(strip=True):
                panel.insert(0, _paragraph(f"{label.get_text(' ', strip=True)}:"))
        tabs.extract()
    for label in root.select(".sd-tab-set > label, .tab-set > label"):
        label.replace_with(_paragraph(f"{label.get_text(' ', strip=True)}:"))


def entry_name(tag: Tag) -> str:
    """Return the name that Sphinx describes in an entry of its API, by its first term or by its text.

    It is empty for other terms, and for an entry without text.
    """
    entry = tag if tag.name == "dd" else tag.find_next_sibling("dd")
    terms = list(takewhile(lambda one: one.name == "dt", entry.find_previous_siblings(["dt", "dd"]))) if entry else []
    if not entry or not terms or not entry.get_text(strip=True) or not (tag is entry or tag is terms[-1]):
        return ""
    return "".join(name.get_text(strip=True) for name in terms[-1].select(_ENTRY_NAME))


def _is_panel(tag: Tag) -> bool:
    return tag.get("role") == "tabpanel" or "tabbed-block" in (tag.get("class") or [])


def _write_formulas(root: Tag) -> None:
    """Show a formula once, as its TeX source where that is there."""
    for formula in root.select(".katex, mjx-container, math, .MathJax, script[type^='math/tex']"):
        source = formula.find("annotation") if formula.name != "script" else formula
        text = source.get_text() if isinstance(source, Tag) else formula.get_text()
        if formula.parent is not None:
            formula.replace_with(text)


def _name_questions(root: Tag) -> None:
    """Keep the buttons that are headings of an accordion, and drop those that do something."""
    for button in root.find_all("button"):
        if button.find_parent([*HEADINGS, "summary", "dt"]):
            button.unwrap()
        elif _opens_text(button):
            button.name = "h6"
        else:
            button.extract()


def _opens_text(button: Tag) -> bool:
    around = button.find_parent(class_=re.compile("accordion|faq|collapsible|expand", re.IGNORECASE))
    opens = any(button.has_attr(name) for name in ("aria-expanded", "data-bs-toggle", "data-toggle"))
    return around is not None and opens


def _is_navigation(aside: Tag) -> bool:
    said = [str(aside.get(name) or "") for name in ("id", "aria-label", "role")]
    words = " ".join([*said, *(aside.get("class") or [])])
    if _SIDE.search(words) or aside.find("nav"):
        return True
    text = aside.get_text(strip=True)
    return text == "" or len("".join(link.get_text(strip=True) for link in aside.find_all("a"))) >= len(text)


def _is_contents(items: Tag) -> bool:
    """Tell whether a tag is a list that holds nothing but links to places in the page."""
    if items.name not in {"ul", "ol"}:
        return False
    links = items.find_all("a")
    text = "".join(link.get_text(strip=True) for link in links)
    is_inner = all(str(link.get("href") or "").startswith("#") for link in links)
    return len(links) > 1 and is_inner and text == items.get_text(strip=True)


def _paragraph(text: str) -> Tag:
    paragraph = Tag(name="p")
    paragraph.append(text)
    return paragraph
