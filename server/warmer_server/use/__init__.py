"""What the journal's owner learns from its use: a test set, and what the documents lack."""
