"""Check optional parts: Claude's key, custom classes, tokens."""

import os
from collections.abc import AsyncIterator
from importlib.util import find_spec

from warmer.errors import WarmerError
from warmer.index.external_texts import load_texts
from warmer.judges import checked_scores, load_judge
from warmer_server.doctor import Finding
from warmer_server.settings import Settings
from warmer_server.tokens import Tokens

_KEY = "ANTHROPIC_API_KEY"


async def claude(settings: Settings) -> AsyncIterator[Finding]:
    """Check key and package that the judge `claude` needs, without sending anything."""
    missing = [] if os.environ.get(_KEY) else [f"{_KEY} is not set"]
    if not find_spec("anthropic"):
        missing.append("the package anthropic is not installed")
    if missing:
        yield Finding("claude", "note", f"cannot judge, which is optional: {', '.join(missing)}")
    else:
        said = f"{_KEY} is set, for {settings.claude_model}; it was not tried (--ask-claude does)"
        yield Finding("claude", "note", said)


async def ask_claude(settings: Settings) -> AsyncIterator[Finding]:
    """Have Claude score a passage, which costs a little."""
    judge = load_judge("claude", claude_model=settings.claude_model)
    (score,) = checked_scores(judge, "What is bread made of?", ["Bread is made of flour, water, salt and yeast."])
    yield Finding("claude", "ok", f"{settings.claude_model} answered, with the score {score:g}")


async def judges(settings: Settings) -> AsyncIterator[Finding]:
    """Load the custom judges that agents may name."""
    for spec in filter(None, settings.judges.replace(" ", "").split(",")):
        try:
            load_judge(spec)
        except WarmerError as error:
            yield Finding("judges", "fails", str(error))
        else:
            yield Finding("judges", "ok", f"{spec} is loaded")


async def texts(settings: Settings) -> AsyncIterator[Finding]:
    """Load the class that finds texts outside Qdrant."""
    if settings.texts:
        load_texts(settings.texts)
        yield Finding("texts", "ok", f"{settings.texts} is loaded")


async def tokens(settings: Settings) -> AsyncIterator[Finding]:
    """Read the tokens for `warmer serve --http`."""
    if settings.tokens_file or settings.tokens.get_secret_value().strip():
        found = Tokens(settings.tokens_file, settings.tokens.get_secret_value())
        yield Finding("tokens", "ok", f"{found.count} may call over HTTP")
