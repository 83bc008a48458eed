"""Arguments that callers give: a wrong one is refused by its name, with what it should be."""

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


def check_whole_number(argument: str, value: object, at_least: int | None = None) -> None:
    """Refuse what is not a whole number, or is too small.

    Raises:
        TypeError: if it is no whole number.
        ValueError: if it is less than `at_least`.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{argument}={value!r}: must be a whole number")
    if at_least is not None and value < at_least:
        raise ValueError(f"{argument}={value}: must be at least {at_least}")
