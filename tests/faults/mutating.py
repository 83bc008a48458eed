"""Makes of sound bytes some that are not."""

import random

PIECES = [b"```{python}\n", b"```\n", b"#| label: a\n", b":::", b"::: {.x}", b"---\n", b"{{< include a >}}"]
PIECES += [b"\0", b"\xff"]
PIECES += [
    b"`{python} x`",
    b": ",
    b"- ",
    b"[",
    b"{",
    b"&a ",
    b"*a",
    b"!!",
    b'"',
    b"'",
    b"|",
    b"\t",
    b"\r",
    b"0",
    b"9" * 30,
]


def mutant(data: bytes, chance: random.Random) -> bytes:
    """One to eight edits: flips, cuts, repeats, pieces of syntax."""
    held = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(held) + 1)
        match chance.randrange(5):
            case 0 if held:
                held[min(at, len(held) - 1)] ^= 1 << chance.randrange(8)
            case 1:
                del held[at : at + chance.randrange(40)]
            case 2:
                held[at:at] = held[at : at + chance.randrange(60)]
            case 3:
                held[at:at] = chance.choice(PIECES)
            case _:
                held[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(6)))
    return bytes(held)
