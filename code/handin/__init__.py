"""The tooling: renders the documents, checks and packs the hand-in. Knows nothing of neural networks."""

__version__ = "2.0"
