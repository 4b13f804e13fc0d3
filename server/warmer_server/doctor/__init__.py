"""Check each part of the installation by using it, without changing any data."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

from warmer.errors import WarmerError, innermost
from warmer_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of a check.

    Attributes:
        part: Part that was checked.
        state: Whether it works; `note` for parts that are not set up, and for information.
        said: The result in words, with what to do if the part fails.
    """

    part: str
    state: Literal["ok", "note", "fails"]
    said: str


Check = Callable[[Settings], AsyncIterator[Finding]]


async def examine(settings: Settings, checks: dict[str, Check]) -> AsyncIterator[Finding]:
    """Run checks one by one. An exception becomes a finding, and the other checks still run."""
    for part, check in checks.items():
        try:
            async for finding in check(settings):
                yield finding
        except WarmerError as error:
            yield Finding(part, "fails", str(error))
        except ImportError as error:
            yield Finding(part, "fails", f"a package cannot be imported: {error}. Install warmer again")
        except Exception as error:  # noqa: BLE001  the other checks must still run
            cause = innermost(error)
            yield Finding(part, "fails", f"a bug in warmer: {type(cause).__name__}: {cause}")
