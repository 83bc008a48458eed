"""What Quarto runs before and after every render, with its own Python: see `handin.render.quarto`."""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # instead of this folder, whose modules have names of their own

try:
    from handin.environment import DRAFT, Mode
    from handin.errors import HandinError
    from handin.project import find_root, load_project
    from handin.render.quarto import after, before
except ModuleNotFoundError as error:  # Quarto takes the Python of the PATH
    sys.exit(f"error: {sys.executable} has no `{error.name}`: activate .venv, or set QUARTO_PYTHON")

try:
    project = load_project(find_root(Path.cwd()))
    mode = Mode(draft=os.environ.get(DRAFT) == "1")
    if "QUARTO_PROJECT_OUTPUT_FILES" in os.environ:
        made = os.environ["QUARTO_PROJECT_OUTPUT_FILES"].splitlines()
        after(project, [project.root / name for name in made if name], mode)
        if "QUARTO_PROJECT_RENDER_ALL" not in os.environ:  # as when it previews
            print("`quarto preview` sees no edit in sections/; `handin preview` does.")
    else:
        before(project, mode)
except HandinError as error:
    sys.exit(f"error: {error}")
