"""What the documents take from results: claims, tables, numbers, listings, robustness over seeds."""

from fnn.prose.claims import book, claim
from fnn.prose.listings import listing
from fnn.prose.numbers import after, compared, count, decimals, number, thousands, vector, where_known

__all__ = [
    "after",
    "book",
    "claim",
    "compared",
    "count",
    "decimals",
    "listing",
    "number",
    "thousands",
    "vector",
    "where_known",
]
