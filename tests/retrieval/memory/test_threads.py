import numpy as np
import pytest

from warmer.journal import Scored
from warmer.memory.intent import are_twins, same_words
from warmer.memory.remembering import signal
from warmer.memory.threads import Near, Threads, point_hash
from warmer.vectors import unit

RANDOM = np.random.default_rng(7)


def thread(name: str, vector: np.ndarray, at: float = 1.0, **scores: float) -> Scored:
    return Scored(name, at, vector.astype(np.float32), scores)


def test_the_nearest_threads_are_found_among_many() -> None:
    vectors = RANDOM.standard_normal((3000, 96))
    threads = Threads(96)
    for number, vector in enumerate(vectors):
        threads.put(thread(f"s_{number}", vector))
    for number in range(0, 3000, 300):
        asked = vectors[number] + 0.5 * RANDOM.standard_normal(96)
        cosines = unit(vectors) @ unit(asked)
        (first,) = threads.near(asked.astype(np.float32), 1)
        assert first.id == f"s_{np.argmax(cosines)}"
        assert first.cosine == pytest.approx(cosines.max(), abs=0.01)


def test_a_question_that_was_asked_often_hides_no_nearer_one() -> None:
    threads, asked = Threads(384), RANDOM.standard_normal(384)
    threads.put(thread("s_same", asked))
    other = asked + 0.8 * RANDOM.standard_normal(384)
    for number in range(600):
        threads.put(thread(f"s_{number}", other))
    assert threads.near(asked.astype(np.float32), 16)[0].id == "s_same"


def test_a_thread_that_is_scored_again_is_taken_as_it_is_now() -> None:
    threads, vector = Threads(70), np.arange(70) - 30
    threads.put(thread("s_a", vector, 1.0, good=9, fair=5.5, bad=4))
    threads.put(thread("s_a", vector, 2.0, good=2, fair=7))
    assert threads.has(thread("s_a", vector, 2.0))
    assert not threads.has(thread("s_a", vector, 1.0))
    (one,) = threads.near(vector.astype(np.float32), 5)
    assert (one.at, list(one.good)) == (2.0, [(point_hash("fair"), 7.0)])
    assert len(threads) == 1


def test_the_signal_is_half_the_cosine_and_half_the_ndcg() -> None:
    good = [(1, 8.0), (2, 6.0)]
    assert signal(Near("s", 0, 0.6, good), {1: 0, 2: 1}) == pytest.approx(0.8)
    assert signal(Near("s", 0, 0.6, good), {}) == pytest.approx(0.3)
    assert signal(Near("s", 0, 0.6, []), {1: 0}) == pytest.approx(0.3)
    assert signal(Near("s", 0, 0.6, good), {1: 1, 2: 0}) < 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("install the plugin", "uninstall the plugin"),
        ("how to install the X plugin", "how do I uninstall that"),
        ("Qdrant on AWS", "Qdrant on Azure"),
        ("enable TLS", "disable TLS"),
        ("upgrade to 1.17", "upgrade to 1.18"),
        ("how do I install it?", "what removes it: uninstall?"),
        ("convert JSON to YAML", "convert YAML to JSON"),
        ("should I run it as root", "should I not run it as root"),
        ("what happens before the commit", "what happens after the commit"),
        ("how to turn logging on", "how to turn logging off"),
        ("arrays in C", "arrays in C++"),
        ("values >= 5", "values <= 5"),
    ],
)
def test_questions_that_differ_in_what_they_ask_are_twins(one: str, other: str) -> None:
    assert are_twins(one, other)
    assert are_twins(other, one)


def test_a_paraphrase_is_no_twin() -> None:
    assert not are_twins("why does the Moon drift away", "what makes tides push the Moon outwards over time")
    assert not are_twins("why does the Moon drift away", "why does the Moon drift away?")
    assert not are_twins("how do I install the plugin", "How to install a plugin?")
    assert same_words("why does the Moon drift away", "Why does the Moon drifts away?")
    assert same_words("how do I install the plugin", "How to install a plugin?")
    assert not same_words("the", "a")
