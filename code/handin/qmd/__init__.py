"""Reads `.qmd` files: source, chunks, conditions."""
