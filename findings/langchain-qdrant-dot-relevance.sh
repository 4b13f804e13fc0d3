#!/usr/bin/env bash
# Guess, written down before this was run, with Euclid in mind: LangChain's relevance score for a Qdrant collection is
# high for what is near, and its retriever with a score threshold keeps the near ones.
#
# What happens: so it is with cosine and Euclid. With the dot product, Qdrant's score is taken for a distance: 1 minus
# the score for those above 0, minus the score for the others. For vectors of length one the document that is equal to
# the query gets 0, the opposite one 1, and the retriever with the threshold 0.5 returns only the opposite. Without a
# threshold the order is right, and LangChain's warning about scores outside of 0 to 1, which comes for Euclid, does not
# come.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-qdrant==1.1.0 langchain-core==1.8.3 \
  qdrant-client==1.20.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore
from qdrant_client import QdrantClient, models

print(*(f"{name} {version(name)}" for name in ("langchain-qdrant", "langchain-core", "qdrant-client")))
VECTORS = {"equal": [1.0, 0.0], "near": [0.8, 0.6], "across": [0.0, 1.0], "opposite": [-1.0, 0.0]}


class Table(Embeddings):
    def embed_query(self, text):
        return VECTORS.get(text, VECTORS["equal"])

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]


kept = {}
for distance in (models.Distance.COSINE, models.Distance.EUCLID, models.Distance.DOT):
    client = QdrantClient(":memory:")
    client.create_collection("c", vectors_config=models.VectorParams(size=2, distance=distance))
    store = QdrantVectorStore(client=client, collection_name="c", embedding=Table(), distance=distance)
    store.add_texts(list(VECTORS))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        scored = store.similarity_search_with_relevance_scores("the query")
    settings = {"search_type": "similarity_score_threshold", "search_kwargs": {"score_threshold": 0.5}}
    with warnings.catch_warnings(action="ignore"):
        kept[distance.value] = [one.page_content for one in store.as_retriever(**settings).invoke("the query")]
    relevance = {one.page_content: round(score, 2) for one, score in scored}
    print(f"{distance.value}: relevance {relevance}, {len(warned)} warnings")
    print(f"{distance.value}: the retriever with the threshold 0.5 returns {kept[distance.value]}")
if kept != {"Cosine": ["equal", "near", "across"], "Euclid": ["equal", "near"], "Dot": ["opposite"]}:
    sys.exit("the behaviour has changed")
PYTHON
