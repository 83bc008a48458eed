"""A project made to be edited: modules that import each other, data of many kinds, chunks that use them."""

import os
import py_compile
import random
import shutil
import time
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

MODULES = {
    "base": "FACTOR = {n}\n\n\ndef scale(x):\n    return x * FACTOR\n",
    "middle": "from base import scale\n\nOFFSET = {n}\n\n\ndef work(x):\n    return scale(x) + OFFSET\n",
    "lazy": "def value():\n    return {n}\n",
    "tool": "def late():\n    import lazy\n\n    return lazy.value() + {n}\n",
    "pack/__init__": "NUMBER = {n}\n",
    "pack/part": "from pack import NUMBER\n\n\nclass Part:\n    size = NUMBER + {n}\n",
    "book": "entries = []\n\n\ndef note(what):\n    entries.append((what, {n}))\n",
    "script": "print('script', {n})\nleft = {n}\n",
    "extra": "VALUE = {n}\n",
}
TEXTS = (
    "data/a.txt",
    "data/many/one.txt",
    "data/many/two.txt",
    "settings.yml",
    "chapters/one.qmd",
    "notes.md",
)
# Read past Python, so that no hook hears it: as polars, h5py or a library of C read their files.
TENSORS = ("data/s.safetensors", "figures/s.safetensors", "_images/s.safetensors", ".pics/s.safetensors")
# Beside the project's own files: {outside} is a folder beside it, {shm} one in memory.
OUTSIDE = ("{outside}/a.txt", "{shm}/a.txt", "_output/a.txt", "_store/a.txt", "_build/a.txt")
# Python reads their bytecode, and not what stands here.
AWAY = ("{outside}/far.py", "tests/near.py")
PERHAPS = (
    "data/perhaps.txt", "data/many/three.txt", "code/newcomer.py", "newcomer.py", "code/newcomer/__init__.py",
    "elsewhere/extra.py", "code/pack.py", "{outside}/perhaps.txt", "chapters/two.qmd",
)  # fmt: skip

# Chunks; {n} is a number that edits change.
CHUNKS = [
    "import middle\nprint(middle.work({n}))",
    "import base\nbase.FACTOR += {n}",
    "import importlib, base\nimportlib.reload(base); print(base.scale({n}))",
    "from middle import work\ndef f(x):\n    import lazy\n    return work(x) + lazy.value()\nprint(f({n}))",
    "import tool\ntool.late() + {n}",
    "from pack.part import Part\nPart.size += {n}; print(Part.size)",
    "print(open('data/a.txt').read(), {n})",
    "from pathlib import Path\nprint([p.read_text() for p in sorted(Path('data').glob('**/*.txt'))], {n})",
    "from pathlib import Path\nprint([p.read_text() for p in sorted(Path('chapters').glob('*'))], {n})",
    "import os\nprint(sorted(os.listdir('data/many')), {n})",
    "import os\nprint([sorted(files) for _, _, files in os.walk('data')], {n})",
    "import os\nprint(sorted(os.listdir('{outside}')), {n})",
    "import os\nprint(os.path.exists('data/perhaps.txt'), os.path.getsize('data/a.txt'), {n})",
    "import os\nprint(os.readlink('data/link'), open('data/link').read(), {n})",
    "import os\nprint(os.path.realpath('data/link'), {n})",
    "import torch\nprint(torch.load('data/t.pt'), {n})",
    *(f"from safetensors.torch import load_file\nprint(load_file({name!r}), {{n}})" for name in TENSORS),
    *(f"print(open('{name}').read(), {{n}})" for name in OUTSIDE),
    "from pathlib import Path\np = Path('{outside}/perhaps.txt')\ntry:\n    print(p.read_text(), {n})\n"
    "except OSError:\n    print('nothing')",
    "import ctypes\ntry:\n    ctypes.CDLL('./data/many/one.txt')\nexcept OSError as error:\n    print(error)",
    "import ctypes\ntry:\n    ctypes.CDLL('{outside}/lib.so')\nexcept OSError as error:\n    print(error)",
    "from safetensors.torch import load_file  # cache: false\nprint(load_file('{outside}/c.safetensors'))",
    "import mypkg\nprint(mypkg.VALUE, {n})",
    "import yaml\nprint(yaml.safe_load(open('_quarto.yml'))['dataset'], {n})",
    "import os\nprint(len(os.sched_getaffinity(0)), {n})",
    "import torch\ntorch.manual_seed({n})",
    "import random\nprint(random.random(), {n})",
    "import random\nrandom.seed({n})",
    "import numpy as np\nnp.random.seed({n}); print(np.random.rand())",
    "import book\nbook.note('chunk {n}')",
    "import book\nprint(book.entries, {n})",
    "things = globals().get('things', [])\nthings.append({n})\nprint(things)",
    "print(globals().get('things'), {n})",
    "{n} + 1",
    "print(_, sorted(Out), {n})",
    "import matplotlib.pyplot as plt\nplt.plot([1, {n}])\nplt.show()",
    "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots(layout='constrained')\n"
    "line = axes.plot([1, {n}])",
    "print(globals().get('axes') and axes.get_position(), {n})",
    "import matplotlib.pyplot as plt\nplt.rcParams['lines.linewidth'] = {n}",
    "from matplotlib.figure import Figure\nF = Figure(figsize=(2, 1)); F.text({n}, 0, 'x')\nF",
    "import matplotlib.pyplot as plt\nprint(plt.figure().number, {n})",
    "try:\n    import newcomer\n    print(newcomer.VALUE)\nexcept ImportError:\n    print('nobody', {n})",
    "exec(open('code/script.py').read())\nprint({n})",
    "%run code/script.py\nprint(left + {n})",
    "import inspect, middle\nprint(inspect.getsource(middle.work), {n})",
    "import os\nprint(os.environ.get('FLAVOUR'), {n})",
    "import os\nos.environ['FLAVOUR'] = str({n})",
    "import tempfile\nwith tempfile.TemporaryFile() as f:\n    print(f.write(b'{n}'), f.seek(0), f.read())",
    "import sys\nsys.path.insert(0, 'elsewhere')\nimport extra\nprint(extra.VALUE, {n})",
    "import sys\nsys.path.insert(0, '{outside}')\nimport far\nprint(far.VALUE, {n})",
    "import sys\nsys.path.insert(0, 'tests')\nimport near\nprint(near.VALUE, {n})",
    "print(open('{outside}/a.txt', 'r+').read(), {n})",
    "import os\nos.chdir('data')\nprint(open('a.txt').read(), {n})\nos.chdir('..')",
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n"
    "    print(pool.submit(lambda: open('data/a.txt').read()).result(), {n})",
    "import asyncio\nawait asyncio.sleep(0)\nprint(open('data/a.txt').read(), {n})",
    "from IPython.display import Markdown, display\ndisplay(Markdown('**{n}**'))",
    "class Box(list):\n    def __repr__(self):\n        self.append({n})\n        return str(len(self))",
    "box = globals().get('Box', list)()\nbox",
    "globals().get('box')",
]
# Chunks that cannot be remembered, nor what follows them.
ODD = [
    "import subprocess as s\nprint(s.run(['cat', 'data/a.txt'], capture_output=True).stdout, {n})",
    "open('data/made.txt', 'w').write('{n}')",
    "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint({n})",
    "from IPython.display import display\nh = display('first', display_id='one')",
    "from IPython.display import update_display\nupdate_display('then {n}', display_id='one')",
    "1 / {n} / 0",
]
CLOCK = "__import__('safetensors.torch').torch.load_file('{outside}/c.safetensors')"
INLINE: list[Any] = [
    {"0": "1 + 1"},
    {"0": "things", "1": "len(things)"},
    {"0": "middle.work(2)"},
    {"0": "open('data/a.txt').read()"},
    {"0": CLOCK},
]
FIRST = """\
import random
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats
random.seed(5)
plt.rcParams["svg.hashsalt"] = "fixed"
set_matplotlib_formats("svg")
"""


class SmallProject:
    """The project, and the edits that somebody might make."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.variables: dict[str, str] = {}
        self.cores = 2
        self._outside = root.parent / "outside"
        self._memory = Path("/dev/shm") / f"{root.parent.name}-{seed}"
        self._kept = (root, self._outside, self._memory, root.parent / "site-packages")
        self.chunks: list[Any] = [self._chunk(odd=False) for _ in range(9)]
        for folder in ("code/pack", "data/many", "elsewhere"):
            (root / folder).mkdir(parents=True)
        self._write_settings()
        self._package()
        for name in MODULES:
            self._write_module(name)
        for name in (*TEXTS, *OUTSIDE, "{outside}/lib.so"):
            self._write_text(name)
        for name in (*TENSORS, "{outside}/c.safetensors", "data/t.pt"):
            self._write_tensor(name)
        for name in AWAY:
            self._write_away(name)
        (root / "_environment").write_text("FLAVOUR=plain\n")
        (root / "data/link").symlink_to("a.txt")
        self._states: list[tuple[Path, list[Any], dict[str, str], int]] = []
        self._save()

    @property
    def requests(self) -> list[Any]:
        """What a renderer would ask a kernel."""
        self._write_documents()
        return [FIRST, *self.chunks]

    def edit(self) -> list[str]:
        """Make between one and three edits; returns what was done."""
        if self.random.random() < 0.15:
            return [self._revert()]
        edits = [
            self._change_chunk, self._change_chunk, self._add_chunk, self._delete_chunk, self._swap_chunks,
            self._duplicate_chunk, self._edit_module, self._edit_module, self._edit_text, self._edit_text,
            self._edit_tensor, self._edit_tensor, self._toggle_file, self._toggle_file, self._relink,
            self._touch, self._set_variable, self._write_settings, self._package, self._pin,
        ]  # fmt: skip
        done = [self.random.choice(edits)() for _ in range(self.random.choice([1, 1, 2, 3]))]
        self._save()
        return done

    def _path(self, name: str) -> Path:
        path = self.root / self._placed(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _placed(self, text: str) -> str:
        return text.replace("{outside}", str(self._outside)).replace("{shm}", str(self._memory))

    def _number(self) -> int:
        return self.random.randint(1, 5)

    def _chunk(self, odd: bool = True) -> Any:
        if self.random.random() < 0.2:
            return {name: self._placed(code) for name, code in self.random.choice(INLINE).items()}
        chunks = ODD if odd and self.random.random() < 0.1 else CHUNKS
        return self._placed(self.random.choice(chunks)).replace("{n}", str(self._number()))

    def _place(self) -> int:
        return self.random.randrange(len(self.chunks))

    def _change_chunk(self) -> str:
        place = self._place()
        self.chunks[place] = self._chunk()
        return f"chunk {place}: {self.chunks[place]}"

    def _add_chunk(self) -> str:
        place = self._place()
        self.chunks.insert(place, self._chunk())
        return f"new chunk {place}: {self.chunks[place]}"

    def _delete_chunk(self) -> str:
        place = self._place()
        if len(self.chunks) > 4:
            del self.chunks[place]
        return f"chunk {place} deleted"

    def _swap_chunks(self) -> str:
        one, two = self._place(), self._place()
        self.chunks[one], self.chunks[two] = self.chunks[two], self.chunks[one]
        return f"chunks {one} and {two} swapped"

    def _duplicate_chunk(self) -> str:
        place = self._place()
        self.chunks.insert(self._place(), self.chunks[place])
        return f"chunk {place} duplicated"

    def _write_module(self, name: str) -> None:
        (self.root / f"code/{name}.py").write_text(MODULES[name].format(n=self._number()))

    def _edit_module(self) -> str:
        name = self.random.choice([*MODULES, *AWAY])
        self._write_away(name) if name in AWAY else self._write_module(name)
        return f"module {name}"

    def _write_away(self, name: str) -> None:
        path, mode = self._path(name), py_compile.PycInvalidationMode.UNCHECKED_HASH
        path.write_text(f"VALUE = {self._number()}\n")
        py_compile.compile(str(path), invalidation_mode=mode)

    def _write_text(self, name: str) -> None:
        """The time of the last change stays what it was: only the content tells."""
        path = self._path(name)
        before = path.stat() if path.exists() else None
        path.write_text(self.random.choice(["", f"word: {self._number()}\n"]))
        if before:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def _edit_text(self) -> str:
        name = self.random.choice((*TEXTS, *OUTSIDE, "{outside}/lib.so"))
        self._write_text(name)
        return name

    def _write_tensor(self, name: str) -> None:
        tensor = torch.full((2,), float(self._number()))
        path = self._path(name)
        path.unlink(missing_ok=True)
        if name.endswith(".pt"):
            torch.save(tensor, path)
        else:
            safetensors.torch.save_file({"x": tensor}, path)

    def _edit_tensor(self) -> str:
        name = self.random.choice((*TENSORS, "{outside}/c.safetensors", "data/t.pt"))
        self._write_tensor(name)
        return name

    def _toggle_file(self) -> str:
        name = self.random.choice(PERHAPS)
        path = self._path(name)
        if path.exists():
            path.unlink()
            if path.name == "__init__.py":
                path.parent.rmdir()
            return f"{name} removed"
        path.write_text(f"VALUE = {self._number()}\n")
        return f"{name} made"

    def _relink(self) -> str:
        link = self.root / "data/link"
        link.unlink()
        target = self.random.choice(["a.txt", "many/one.txt", "many/two.txt"])
        link.symlink_to(target)
        return f"data/link leads to {target}"

    def _touch(self) -> str:
        name = self.random.choice(TEXTS)
        os.utime(self.root / name, ns=(time.time_ns(), time.time_ns()))
        return f"{name} touched"

    def _set_variable(self) -> str:
        name = self.random.choice(["FLAVOUR", "DRAFT"])
        if self.variables.pop(name, None) is None:
            self.variables[name] = str(self._number())
        return f"variables {self.variables}"

    def _write_settings(self) -> str:
        author, train = self.random.choice(["Ada", "Grace"]), self._number()
        documents = "project: {render: [report.qmd, clock.qmd]}"
        text = f"{documents}\nauthor: {{name: {author}}}\ndataset: {{train: {train}}}\n"
        self._path("_quarto.yml").write_text(text)
        return f"author {author}, dataset {train}"

    def _package(self) -> str:
        """Install a package of the user's own anew, under the same version."""
        site, value = self.root.parent / "site-packages", self._number()
        (site / "mypkg-1.0.dist-info").mkdir(parents=True, exist_ok=True)
        (site / "mypkg.py").write_text(f"VALUE = {value}\n")
        (site / "mypkg-1.0.dist-info/RECORD").write_text(f"mypkg.py,sha256={value},9\n")
        return f"mypkg {value}"

    def _pin(self) -> str:
        self.cores = self.random.choice([1, 2])
        return f"{self.cores} cores"

    def _write_documents(self) -> None:
        """The documents themselves: what their code declares stands there."""
        text = []
        for chunk in self.chunks:
            if isinstance(chunk, str):
                options = "#| cache: false\n" if "cache: false" in chunk else ""
                text.append(f"```{{python}}\n{options}{chunk}\n```\n")
        (self.root / "report.qmd").write_text("\n".join(text))
        clock = f"---\nexecute: {{cache: false}}\n---\n\n`{{python}} {self._placed(CLOCK)}`\n"
        (self.root / "clock.qmd").write_text(clock)

    def _save(self) -> None:
        kept = self.root.parent / f"state-{len(self._states)}"
        for number, folder in enumerate(self._kept):
            ignored = shutil.ignore_patterns("memory")
            shutil.copytree(folder, kept / str(number), symlinks=True, ignore=ignored)
        self._states.append((kept, list(self.chunks), dict(self.variables), self.cores))

    def _revert(self) -> str:
        number = self.random.randrange(len(self._states))
        kept, chunks, variables, self.cores = self._states[number]
        for place, folder in enumerate(self._kept):
            for path in folder.iterdir():
                if path.name != "_build":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.copytree(kept / str(place), folder, symlinks=True, dirs_exist_ok=True)
        self.chunks, self.variables = list(chunks), dict(variables)
        return f"back to state {number}"
