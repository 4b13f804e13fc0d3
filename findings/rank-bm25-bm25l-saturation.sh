#!/usr/bin/env bash
# Guess, written down before this was run: BM25L with the same parameters gives the same scores in rank-bm25 and in
# bm25s.
#
# What happens: rank-bm25 multiplies the saturated part by the number of occurrences once more, so that its BM25L,
# unlike the rest of the family, has no saturation: a document that repeats one word of the query 10 times gets more
# than 10 times the score of one occurrence, and stands above a document with both words of the query. Its BM25Okapi and
# BM25Plus, and BM25L of bm25s, put the document with both words first. (A correction was taken into the repository in
# 2022; the package is older. bm25s differs in one more way: a word that is absent scores above 0 too.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rank-bm25==0.2.2 bm25s==0.3.16
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import bm25s
import rank_bm25

print("rank-bm25", version("rank-bm25"), "bm25s", version("bm25s"))
WORDS = 40
documents = {
    "one word once": ["heat"],
    "one word 10 times": ["heat"] * 10,
    "both words": ["heat", "pump"],
}
corpus = [words + [f"other{n}"] * (WORDS - len(words)) for n, words in enumerate(documents.values())]
corpus += [[f"filler{n}"] * WORDS for n in range(7)]  # all are of one length, and most have neither word
settings = {"k1": 1.5, "b": 0.75}
indexed = bm25s.BM25(method="bm25l", delta=0.5, **settings)
indexed.index(corpus, show_progress=False)
scorers = {
    "bm25s, BM25L": indexed,
    "rank-bm25, BM25L": rank_bm25.BM25L(corpus, delta=0.5, **settings),
    "rank-bm25, BM25Okapi": rank_bm25.BM25Okapi(corpus, **settings),
    "rank-bm25, BM25Plus": rank_bm25.BM25Plus(corpus, delta=1, **settings),
}
first, growth = {}, {}
for name, scorer in scorers.items():
    scores = dict(zip(documents, scorer.get_scores(["heat", "pump"]), strict=False))
    heat = scorer.get_scores(["heat"])
    first[name], growth[name] = max(scores, key=scores.get), heat[1] / heat[0]
    rounded = {document: round(float(score), 2) for document, score in scores.items()}
    print(f"{name}: {rounded}; for 'heat' alone 10 occurrences score {growth[name]:.1f} times one")
wrong = [name for name, document in first.items() if document != "both words"]
if wrong != ["rank-bm25, BM25L"] or growth["rank-bm25, BM25L"] < 10 or growth["bm25s, BM25L"] > 2.5:
    sys.exit("the behaviour has changed")
PYTHON
