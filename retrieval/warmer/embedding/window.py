"""How much of a text a model reads."""

from tokenizers import Tokenizer

from warmer.passage import Window


def window_of(tokenizer: Tokenizer | None) -> Window | None:
    """Ask a model's own tokenizer where it cuts a text off; None where it does not, or there is none."""
    if tokenizer is None or not tokenizer.truncation:
        return None
    whole = Tokenizer.from_str(tokenizer.to_str())
    whole.no_truncation()
    whole.no_padding()
    return Window(tokenizer.truncation["max_length"], lambda text: len(whole.encode(text).ids))
