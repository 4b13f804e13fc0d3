import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from warmer.sanitize import error_text, one_line, sanitize

NASTY = st.sampled_from(
    [*map(chr, range(32)), *"\x7f\x85\x9b\u200b\u202e\u2066\u2028\ufeff\U000e0041\u200d\ud800", "\r\n"]
)
TEXTS = st.lists(st.text(max_size=4) | NASTY, max_size=12).map("".join)


@given(TEXTS)
def test_sanitized_text_has_no_invisible_or_control_characters(text: str) -> None:
    clean = sanitize(text)
    bad = [c for c in clean if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in "\n\t"]
    assert not bad
    assert not set(clean) & {
        *"\u200b\u2060\ufeff\u061c\xad",
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2066, 0x206A)),
    }
    assert not any(0xE0000 <= ord(c) < 0xE1000 for c in clean)
    assert sanitize(clean) == clean


@given(TEXTS)
def test_one_line_gives_one_line(text: str) -> None:
    assert len(one_line(f"a{text}b").splitlines()) == 1


def test_ordinary_text_is_unchanged() -> None:
    for text in ("a\n\tb", "naïve café", "می‌خواهم", "👩‍🚀", "क्‍ष", "日本語", "x = 1;  # ok"):
        assert sanitize(text) == text


def test_invisible_and_control_characters_are_neutralised() -> None:
    assert sanitize("\x1b[31mred") == "\ufffd[31mred"
    assert sanitize("ig\u200bnore \u202etxt.exe\u202c") == "ignore txt.exe"
    assert sanitize("".join(chr(0xE0000 + ord(c)) for c in "hidden") + "seen") == "seen"
    assert sanitize("pass\u200dword \u200d\u200c") == "password "
    assert sanitize("a\r\nb\rc\u2028d\x0ce") == "a\nb\nc\nd\ne"


def test_error_texts_are_cut() -> None:
    assert len(error_text("x" * 10_000)) == 2002
