"""The tooling: renders the documents, checks and packs the hand-in. Knows nothing of neural networks."""
