"""Tokens and cost of API calls."""

from dataclasses import dataclass
from typing import NamedTuple


class _Price(NamedTuple):
    """US dollars per million tokens; `long_prompt` multiplies them for prompts of more than `_LONG_PROMPT` tokens."""

    input: float
    output: float
    long_prompt: float = 1


_LONG_PROMPT = 100_000
# https://platform.claude.com/docs/en/about-claude/pricing, October 2026
_PRICES = {
    "claude-haiku-5-5": _Price(0.10, 0.50, long_prompt=5),
    "claude-haiku-4-5": _Price(1, 5),
    "claude-haiku-4-5-20251001": _Price(1, 5),
    "claude-sonnet-5-5": _Price(2, 10),
    "claude-opus-5-5": _Price(4, 20),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage of a number of calls.

    Attributes:
        cost: US dollars at list price; None if a model's price is unknown.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0

    def plus(self, model: str, input_tokens: int, output_tokens: int) -> "Usage":
        """Return the usage with one more call."""
        cost = _cost(model, input_tokens, output_tokens)
        return Usage(
            self.calls + 1,
            self.input_tokens + input_tokens,
            self.output_tokens + output_tokens,
            None if self.cost is None or cost is None else self.cost + cost,
        )


def _cost(model: str, input_tokens: int, output_tokens: int) -> float | None:
    price = _PRICES.get(model)
    if price is None:
        return None
    dollars = (input_tokens * price.input + output_tokens * price.output) / 1_000_000
    return dollars * price.long_prompt if input_tokens > _LONG_PROMPT else dollars
