"""Determine the context window of a model."""

from tokenizers import Tokenizer

from warmer.passage import Window


def window_of(tokenizer: Tokenizer | None) -> Window | None:
    """Return the context window of a model by its tokenizer; None without a tokenizer or without truncation."""
    if tokenizer is None or not tokenizer.truncation:
        return None
    untruncated = Tokenizer.from_str(tokenizer.to_str())
    untruncated.no_truncation()
    untruncated.no_padding()
    return Window(tokenizer.truncation["max_length"], lambda text: len(untruncated.encode(text).ids))
