"""What the documents take from results: figures, tables, numbers, claims, listings. Nothing here trains."""

from fnn.report.claims import claim
from fnn.report.listings import listing
from fnn.report.numbers import (
    between,
    compared,
    count,
    decimals,
    number,
    often,
    out_of,
    percent,
    series,
    thousands,
    vector,
    where_known,
)

__all__ = [
    "between",
    "claim",
    "compared",
    "count",
    "decimals",
    "listing",
    "number",
    "often",
    "out_of",
    "percent",
    "series",
    "thousands",
    "vector",
    "where_known",
]
