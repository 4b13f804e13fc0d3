"""Pictures that are drawn, a small pair of models that sees them, and what scores of pictures give."""
