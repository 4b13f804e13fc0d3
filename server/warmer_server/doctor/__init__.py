"""What works and what does not, found out by trying it; nothing that is there is changed."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

from warmer.errors import WarmerError, innermost
from warmer_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part.

    Attributes:
        part: What it is about.
        state: Whether it works; `note` for what is not set up, or is only to be known.
        said: In plain words; what to do, where it fails.
    """

    part: str
    state: Literal["ok", "note", "fails"]
    said: str


Check = Callable[[Settings], AsyncIterator[Finding]]


async def examine(settings: Settings, checks: dict[str, Check]) -> AsyncIterator[Finding]:
    """Run checks, each on its own: what one raises is what it found."""
    for part, check in checks.items():
        try:
            async for finding in check(settings):
                yield finding
        except WarmerError as error:
            yield Finding(part, "fails", str(error))
        except ImportError as error:
            yield Finding(part, "fails", f"a package cannot be imported: {error}. Install warmer again")
        except Exception as error:  # noqa: BLE001  whatever it is, the other checks are to be run
            cause = innermost(error)
            yield Finding(part, "fails", f"a bug in warmer: {type(cause).__name__}: {cause}")
