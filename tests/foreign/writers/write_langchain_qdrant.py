from common import NAME, PASSAGES, URL, embed
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore


class Served(Embeddings):
    def embed_documents(self, texts):
        return embed(list(texts))

    def embed_query(self, text):
        return embed([text])[0]


documents = [
    Document(page_content=text, metadata={"source": source, "start_index": 100 * n}) for source, n, text in PASSAGES
]
QdrantVectorStore.from_documents(documents, Served(), url=URL, collection_name=NAME)
