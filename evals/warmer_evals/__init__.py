"""Evals: whether feedback is worth having, on data of your own."""
