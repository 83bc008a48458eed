"""The claims of the sections under other seeds."""

from pathlib import Path

import pytest

from fnn import claims, robust

SECTION = """# Title {#sec-1}

```{python}
#| label: numbers
from fnn.claims import claim
x = 2
```

Prose with `{python} x`.

```{python}
#| label: claims
claim(x == 2, "two is two", x=x)
claim(x == 3, "two is three", x=x)
```
"""


def test_chunks_run_in_one_namespace_and_note_every_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1-title.qmd").write_text(SECTION, encoding="utf-8")
    monkeypatch.setattr(claims, "SECTIONS", tmp_path)
    monkeypatch.setattr(claims, "book", claims.ClaimBook())
    monkeypatch.setenv("DRAFT", "1")
    robust.run_chunks()
    assert [(noted.sentence, noted.holds) for noted in claims.book] == [
        ("two is two", True),
        ("two is three", False),
    ]


def test_the_weakest_claim_comes_first() -> None:
    always, often = ({"sentence": name, "holds": True, "section": "1"} for name in ("always", "often"))
    table = robust.tally([[always, often], [always, {**often, "holds": False}]])
    assert table.rows == [["1 of 2", "1", "often"], ["2 of 2", "1", "always"]]


def test_a_run_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(RuntimeError, match="SEED"):
        robust.claims_with({"SEED": "1"})


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--seeds", "two"], ["--seed"]])
def test_bad_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        robust.main(arguments)
