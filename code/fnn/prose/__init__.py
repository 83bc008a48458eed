"""What the documents take from results: claims, tables, numbers, listings, robustness over seeds."""

from fnn.prose.claims import book, claim
from fnn.prose.listings import listing
from fnn.prose.numbers import (
    after,
    all_or,
    between,
    compared,
    count,
    decimals,
    number,
    often,
    thousands,
    times,
    vector,
    where_known,
)

__all__ = [
    "after",
    "all_or",
    "between",
    "book",
    "claim",
    "compared",
    "count",
    "decimals",
    "listing",
    "number",
    "often",
    "thousands",
    "times",
    "vector",
    "where_known",
]
