"""No passage exceeds the model's context window."""

from hypothesis import given
from hypothesis import strategies as st

from warmer.embedding.fastembedder import FastEmbedder, load
from warmer.ingest.markdown import markdown_sections
from warmer.ingest.split import split
from warmer.passage import Window

DENSE = "| `0x3fa9` | {a: [1,2]} |\n"
WORDS = Window(8, lambda text: len(text.split()))


def test_every_passage_fits_the_window() -> None:
    window = load().window
    assert window is not None
    assert window.max_tokens == 256
    text = f"# {'outer ' * 30}\n## {'日本 ' * 80}\n### Inner\n" + DENSE * 200 + "\n\n" + "日本語 " * 2000
    passages = list(split(markdown_sections(text), "a.md", 800, window))
    assert all(window.count_tokens(passage.embedded) <= 256 for passage in passages)
    assert "".join("".join(passage.text for passage in passages).split()) == "".join(text.split("### Inner")[1].split())
    assert {passage.title for passage in passages} == {"Inner"}
    assert min(len(passage.text) for passage in passages[:5]) > 150


@given(st.text(alphabet="ab \n", max_size=300), st.text(alphabet="ab >", max_size=60))
def test_pieces_fit_the_window_and_lose_no_text(text: str, title: str) -> None:
    passages = list(split(markdown_sections(f"# {title}\n\n{text}"), "a.md", 100, WORDS))
    assert all(len(passage.embedded.split()) <= WORDS.max_tokens for passage in passages)
    assert "".join("".join(passage.text for passage in passages).split()) == "".join(text.split())
    lines = ["", *f"# {title}\n\n{text}".split("\n")]
    assert all(passage.text.split("\n")[0].strip() in lines[passage.line] for passage in passages)


def test_passages_fit_a_smaller_window(embedder: FastEmbedder) -> None:
    short = Window(32, embedder.window.count_tokens if embedder.window else len)
    passages = list(split(markdown_sections("word " * 500), "a.md", 800, short))
    assert all(short.count_tokens(passage.embedded) <= 32 for passage in passages)
