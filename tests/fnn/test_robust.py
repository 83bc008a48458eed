"""The claims of the sections under other seeds."""

from pathlib import Path

import pytest

from fnn.prose import robust

SECTION = """# Title {#sec-1}

```{python}
#| label: numbers
from fnn.prose.claims import claim
x = 2
```

Prose with `{python} x`.

```{python}
#| label: claims
claim(x == 2, "two is two", x=x)
claim(x == 3, "two is three", x=x)
```
"""


def test_chunks_run_as_one_program_and_note_every_claim(tmp_path: Path) -> None:
    (tmp_path / "1-title.qmd").write_text(SECTION, encoding="utf-8")
    noted = robust.claims_with({}, robust.script(tmp_path))
    assert [(claim["sentence"], claim["holds"]) for claim in noted] == [
        ("two is two", True),
        ("two is three", False),
    ]
    assert noted[1]["values"] == "x 2"


def test_the_weakest_claim_comes_first() -> None:
    always, often = ({"sentence": name, "holds": True, "section": "1"} for name in ("always", "often"))
    table = robust.tally([[always, often], [always, {**often, "holds": False}]])
    assert table.rows == [["1 of 2", "1", "often"], ["2 of 2", "1", "always"]]


def test_a_run_that_fails_says_so() -> None:
    with pytest.raises(RuntimeError, match="SEED"):
        robust.claims_with({"SEED": "1"}, "raise SystemExit(3)")


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--seeds", "two"], ["--seed"]])
def test_bad_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        robust.main(arguments)
