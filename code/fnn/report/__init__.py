"""What the documents take from results: figures, tables, numbers, claims, listings. Nothing here trains."""
