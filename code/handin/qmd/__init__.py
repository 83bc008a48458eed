"""Reads `.qmd` files: source, chunks, conditional content, what they claim and what they consist of."""
