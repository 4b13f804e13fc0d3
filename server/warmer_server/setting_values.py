"""Read the values of settings that are more than a word or a number."""

import json
import re
from pathlib import Path
from typing import Any

from warmer.errors import FilterError, WarmerError
from warmer.index.filters import check_limit

_NAME = re.compile(r"(?P<name>[^={\[\"]+)=\s*")


def parse_names(text: object) -> object:
    """Read names, separated by commas; at least one."""
    if not isinstance(text, str):
        return text
    if not (names := {name.strip() for name in text.split(",")} - {""}):
        raise ValueError("it names no collection, and without a limit all can be searched: name some, or unset it")
    return names


def parse_list(text: object) -> object:
    """Read values, separated by commas."""
    return {part.strip() for part in text.split(",")} - {""} if isinstance(text, str) else text


def parse_filter(text: object) -> object:
    """Read a filter, or several as collection=filter."""
    if not isinstance(text, str):
        return text
    found: dict[str, Any] = {}
    rest = text.strip()
    while rest:
        named = _NAME.match(rest)
        name, rest = (named["name"].strip(), rest[named.end() :]) if named else ("", rest)
        try:
            where, end = json.JSONDecoder().raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise WarmerError(
                "WARMER_FILTER is not JSON: write Qdrant's filter, such as "
                '{"must": [{"key": "tenant", "match": {"value": "a"}}]}, or collection={...} for one collection'
            ) from error
        try:
            check_limit(where)
        except FilterError as error:
            raise WarmerError(f"WARMER_FILTER: {error}") from error
        if name in found:
            raise WarmerError(f"WARMER_FILTER has two filters for {name or 'all collections'}: join them into one")
        found[name] = where
        rest = rest[end:].lstrip().removeprefix(",").lstrip()
    return found


def parse_by_collection(text: object) -> object:
    """Read a value, or several as collection=value; the one without a name is for all other collections."""
    if not isinstance(text, str):
        return text
    pairs = [part.rpartition("=") for part in text.split(",") if part.strip()]
    named = {name.strip(): value.strip() for name, _, value in pairs}
    if "" in named.values() or len(named) < len(pairs) or any(sign and not name.strip() for name, sign, _ in pairs):
        raise ValueError("write one value for all collections, or collection=value, separated by commas")
    return named


def parse_pairs(text: object) -> object:
    """Read pairs of collection=model, separated by commas."""
    if not isinstance(text, str):
        return text
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if wrong := [name for name, _, value in pairs if not name.strip() or not value.strip()]:
        raise ValueError(f"{wrong[0]!r} is not collection=model")
    return {name.strip(): value.strip() for name, _, value in pairs}


def existing_folder(path: Path | None) -> Path | None:
    """Make the path of a folder absolute."""
    if path and not (path := path.expanduser().absolute()).is_dir():
        raise ValueError(f"{path} is not a folder")
    return path
