"""Front matter: what a document says of itself before its text, in YAML, TOML or JSON."""

import json
import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

_FENCED = re.compile(
    r"\s*^(?P<fence>---|\+\+\+)[ \t]*\n(?P<inner>(?:.*\n)*?)(?P<end>---|\.\.\.|\+\+\+)[ \t]*(?:\n|\Z)", re.M
)
_JSON_END = re.compile(r"^\}[ \t]*$", re.MULTILINE)
_FIELD = re.compile(r"^(title|tags)[ \t]*:(?![ \t]*[>|])[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_LOOKS_LIKE_YAML = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[\w-]+[ \t]*:")
_PLAIN = re.compile(r"(?:[A-Za-z][\w -]{0,30}:[ \t].*\n(?:[ \t]+\S.*\n)*)+(?=\n\s*\S)")
_TITLES = ("title", "linkTitle", "sidebar_label", "sidebar_title", "name")
_TAGS = ("tags", "tag", "keywords")
_MAX_TAGS, _MAX_TAG = 50, 100


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a document says of itself.

    Attributes:
        title: Its title; empty if it gives none.
        tags: Its tags.
        rows: Number of rows that this takes at the beginning.
    """

    title: str = ""
    tags: tuple[str, ...] = ()
    rows: int = 0


def read_front_matter(text: str) -> FrontMatter:
    """Read the front matter of a document; there is none if its first row with text does not begin one."""
    found = _FENCED.match(text)
    if found and (found["fence"] == "+++") == (found["end"] == "+++"):
        fields = _toml(found["inner"]) if found["fence"] == "+++" else _yaml(found["inner"])
        return _front_matter(fields, text, found.end()) if fields is not None else FrontMatter()
    if text.lstrip().startswith("{") and (end := _JSON_END.search(text)):
        with suppress(ValueError, RecursionError):
            return _front_matter(json.loads(text[: end.end()]), text, end.end() + 1)
    plain = _PLAIN.match(text)
    said = _plain_fields(plain[0]) if plain else {}
    if plain and "title" in said:
        return _front_matter(said, text, plain.end())
    return FrontMatter()


def _plain_fields(head: str) -> dict[str, Any]:
    """Read metadata as MultiMarkdown, MkDocs and Pelican have it: rows before the first blank one, without a fence."""
    pairs = (row.partition(":") for row in head.split("\n") if row[:1].isalpha())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def tag_names(value: object) -> tuple[str, ...]:
    """List tags that are written as a list, or as words with commas."""
    words = value.split("," if "," in value else None) if isinstance(value, str) else value
    names = words if isinstance(words, Iterable) and not isinstance(words, dict) else []
    plain = (str(name).strip().lstrip("#")[:_MAX_TAG] for name in names if isinstance(name, str | int | float))
    return tuple(dict.fromkeys(name for name in plain if name))[:_MAX_TAGS]


def _front_matter(fields: dict[str, Any], text: str, end: int) -> FrontMatter:
    title = next((fields[key] for key in _TITLES if isinstance(fields.get(key), str | int | float)), "")
    nested = fields.get("taxonomies")
    places = [fields, nested if isinstance(nested, dict) else {}]
    tags = next((names for place in places for key in _TAGS if (names := tag_names(place.get(key)))), ())
    return FrontMatter(" ".join(str(title).split()), tags, text[:end].rstrip("\n").count("\n") + 1)


def _toml(inner: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(inner)
    except (ValueError, RecursionError):
        return None


def _yaml(inner: str) -> dict[str, Any] | None:
    """Read YAML; where it has mistakes, as a title with a colon, its plain lines say title and tags."""
    try:
        fields = yaml.load(inner, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe
    except (yaml.YAMLError, ValueError, RecursionError):
        fields = dict(_FIELD.findall(inner)) if _LOOKS_LIKE_YAML.match(inner) else None
        fields = fields and {key: value.strip("\"' ") for key, value in fields.items()}
    if fields is None:
        return {} if not re.search(r"^[^#\s]", inner, re.MULTILINE) else None
    return {str(key): value for key, value in fields.items()} if isinstance(fields, dict) else None
