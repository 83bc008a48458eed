"""Arguments that callers give: a wrong one is refused by its name, with what it should be."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import torch
from torch import Tensor


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
    raise ValueError(f"{argument}={name!r}: {meant} {', '.join(names) or 'none'}")


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


def check_sizes(argument: str, sizes: Sequence[int], at_least: int) -> None:
    """Refuse what is not a list of at least so many positive whole numbers.

    Raises:
        TypeError: if it is no list or tuple.
        ValueError: if it is too short, or holds anything else.
    """
    if isinstance(sizes, str) or not isinstance(sizes, Sequence):
        raise TypeError(f"{argument}={sizes!r}: give a list of whole numbers, such as [3] or [4, 3]")
    sound = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes)
    if len(sizes) < at_least or not sound:
        least = f"at least {at_least} " if at_least else ""
        raise ValueError(f"{argument}={list(sizes)}: give {least}positive whole numbers")


def as_input(x: Tensor | Sequence[object], weight: Tensor) -> Tensor:
    """x as a tensor that fits weight [fan_in, fan_out]; a plain sequence takes its dtype and device.

    Raises:
        TypeError: if x is a tensor of another dtype.
        ValueError: if its last dimension is not fan_in.
    """
    if not isinstance(x, Tensor):
        x = torch.as_tensor(x, dtype=weight.dtype, device=weight.device)
    if x.dtype != weight.dtype:
        raise TypeError(
            f"the input {tuple(x.shape)} is {x.dtype}, the first weight {tuple(weight.shape)} "
            f"is {weight.dtype}: convert one of them, for example with x.to({weight.dtype})"
        )
    if x.ndim == 0 or x.shape[-1] != weight.shape[0]:
        raise ValueError(
            f"the input has shape {tuple(x.shape)}, the first weight {tuple(weight.shape)}: "
            f"the last dimension of the input must be {weight.shape[0]}"
        )
    return x
