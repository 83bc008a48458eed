"""Draw D1 and write it as CSV: run once, kept as the record of where the data come from.

NumPy is banned from the solution of the assignment; this script is not part of it.
It uses NumPy because D1 is *defined* by NumPy's legacy generator.

    python data/make_d1.py            # rewrites data/d1-train.csv and data/d1-test.csv
"""

import math
from pathlib import Path

import numpy as np

NOISE_STD = 0.1  # standard deviation of the noise on y
SEED = 1  # of RandomState, NumPy's legacy generator


def draw(points: int, generator: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """x evenly spaced on [0, 4π] and y = sin x + noise, both [points], float32."""
    x = np.linspace(0, 4 * math.pi, points)
    y = np.sin(x) + generator.normal(0, NOISE_STD, points)
    return x.astype(np.float32), y.astype(np.float32)


def main() -> None:
    generator = np.random.RandomState(SEED)  # one generator: the training draws come first
    for name, points in (("train", 100), ("test", 123)):
        x, y = draw(points, generator)
        # str() of a float32 is its shortest decimal form that reads back to the same float32.
        rows = [f"{a!s},{b!s}" for a, b in zip(x, y, strict=True)]
        path = Path(__file__).with_name(f"d1-{name}.csv")
        path.write_text("\n".join(["x,y", *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
