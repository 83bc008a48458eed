"""What the documents take from results: claims, tables, numbers, robustness over seeds."""
