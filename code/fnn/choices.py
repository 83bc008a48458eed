"""Names that a caller chooses from: an unknown one is refused, with what was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def require_known(argument: str, name: object, known: Iterable[str]) -> None:
    """Refuse a name that is not among the known ones.

    Raises:
        ValueError: if it is not; the message names the argument, the value and the choices.
    """
    names = list(known)
    if name in names:
        return
    close = get_close_matches(str(name).lower(), names, n=1)
    meant = f"did you mean {close[0]!r}? There are" if close else "use one of"
    raise ValueError(f"{argument}={name!r}: {meant} {', '.join(names)}")
