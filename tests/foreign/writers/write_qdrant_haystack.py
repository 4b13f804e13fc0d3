from common import NAME, PASSAGES, URL, embed
from haystack import Document
from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

store = QdrantDocumentStore(url=URL, index=NAME, embedding_dim=384)
vectors = embed([text for _, _, text in PASSAGES])
store.write_documents(
    [
        Document(content=text, meta={"file_path": source, "split_id": n}, embedding=vector)
        for (source, n, text), vector in zip(PASSAGES, vectors, strict=True)
    ]
)
