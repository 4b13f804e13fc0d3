from common import DOCUMENTS, NAME, URL, embed
from llama_index.core import Document
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import MetadataMode
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

documents = [
    Document(text="\n\n\n".join(texts), metadata={"file_name": source, "file_path": source})
    for source, texts in DOCUMENTS.items()
]
nodes = SentenceSplitter(chunk_size=64, chunk_overlap=0, paragraph_separator="\n\n\n").get_nodes_from_documents(
    documents
)
for node, vector in zip(nodes, embed([node.get_content(MetadataMode.EMBED) for node in nodes]), strict=True):
    node.embedding = vector
QdrantVectorStore(NAME, client=QdrantClient(URL)).add(nodes)
