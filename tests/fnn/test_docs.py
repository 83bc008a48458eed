"""docs/library.md: its programs run as they stand, and its table names the variables that are read."""

import re

import joblib
import pytest

from fnn.inputs import environment
from fnn.runs.sources import CODE

PAGE = (CODE.parent / "docs" / "library.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
PRINTED = [
    [r"torch.Size\(\[123, 1\]\)", r"tensor\(0\.00.*\) .+", r"MLP\(\[1, 4, 3, 1\], tanh\)"],
    ["40 5"],
    [r"\d\.\d+e?-?\d*"],
]


@pytest.mark.parametrize(("program", "printed"), list(zip(PROGRAMS, PRINTED, strict=True)))
def test_programs_print_what_they_say(
    program: str, printed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with joblib.parallel_config(n_jobs=1):  # quicker than to start processes
        exec(compile(program, "docs/library.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(printed)
    for line, pattern in zip(lines, printed, strict=True):
        assert re.fullmatch(pattern, line)


def test_the_table_has_every_variable() -> None:
    source = (CODE / "fnn" / "inputs" / "environment.py").read_text(encoding="utf-8")
    read = set(re.findall(r'os\.environ\.get\("(\w+)"', source))
    assert set(re.findall(r"^\| `(\w+)`", PAGE, flags=re.MULTILINE)) == read
    assert set(re.findall(r"^\| `(\w+)`", environment.__doc__ or "", flags=re.MULTILINE)) == read
