"""The journal in a Qdrant collection, for several servers that work on one Qdrant."""
