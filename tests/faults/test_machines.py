"""Machines and folders of all kinds: the same bytes, or a message and the old documents."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pypdf
import pytest
from running import after, can, handin, outputs, run

RENDER = handin("render", "--renderer", "builtin", "--no-memory")
needs_root = pytest.mark.skipif(
    not can("unshare", "-mn", "true"), reason="mounts and network namespaces take a superuser"
)
faults = pytest.mark.faults


def optimised() -> list[str]:
    return [RENDER[0], "-O", *RENDER[1:]]


def gives_the_same_bytes(folder: Path, built: Path, command: list[str] = RENDER, **variables: str) -> None:
    """Build afresh in a folder and compare with the build of the same sources elsewhere."""
    shutil.rmtree(folder / "_output")
    done = run(command, folder, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(folder) == outputs(built)


MACHINES: Mapping[str, tuple[list[str], dict[str, str]]] = {
    "locale C": (RENDER, {"LANG": "C", "LC_ALL": "C"}),
    "no HOME": (["env", "-u", "HOME", *RENDER], {}),
    "HOME that cannot be written": (RENDER, {"HOME": "/proc/nowhere"}),
    "an odd time zone": (RENDER, {"TZ": "Pacific/Chatham"}),
    "umask 077": (after("umask 077", RENDER), {}),
    "python -O": (optimised(), {}),
    "one core": (["taskset", "-c", "0", *RENDER], {}),
    "no fonts": (RENDER, {"FONTCONFIG_FILE": "/dev/null", "FONTCONFIG_PATH": "/nowhere"}),
    "matplotlib without a cache": (RENDER, {"MPLCONFIGDIR": "/proc/nowhere"}),
    "another hash seed": (RENDER, {"PYTHONHASHSEED": "17"}),
}


@pytest.mark.parametrize(
    "machine", [name if name == "locale C" else pytest.param(name, marks=faults) for name in MACHINES]
)
def test_the_same_bytes_on_every_machine(machine: str, built: Path, project: Path) -> None:
    command, variables = MACHINES[machine]
    gives_the_same_bytes(project, built, command, **variables)


@faults
@needs_root
def test_the_same_bytes_without_a_network(built: Path, project: Path) -> None:
    gives_the_same_bytes(project, built, ["unshare", "-n", *RENDER])


@pytest.mark.parametrize(
    "name",
    [
        "Übung 3, “neu” & 'alt' $HOME",
        pytest.param("x" * 200, marks=faults),
        pytest.param("a\\b [c] {d} #e %f", marks=faults),
    ],
)
def test_the_same_bytes_in_folders_of_any_name(name: str, built: Path, project: Path) -> None:
    gives_the_same_bytes(project.rename(project.with_name(name)), built)


@faults
def test_the_same_bytes_through_a_link_to_the_project(built: Path, project: Path) -> None:
    link = project.parent / "link"
    link.symlink_to(project, target_is_directory=True)
    gives_the_same_bytes(link, built)


@faults
def test_the_same_words_from_a_checkout_with_crlf(built: Path, project: Path) -> None:
    for pattern in ("*.qmd", "sections/*.qmd", "_quarto.yml", "_environment", "*.bib", "data/*.csv"):
        for path in project.glob(pattern):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    done = run(RENDER, project)
    assert done.returncode == 0, done.stdout + done.stderr

    def words(folder: Path) -> list[str]:
        return [page.extract_text() for page in pypdf.PdfReader(folder / "_output" / "report.pdf").pages]

    assert words(project) == words(built)


# Lines of shell in a mount namespace of its own, in the project's folder.
TROUBLES = {
    "no room for documents": "mount -t tmpfs -o size=20k none _output",
    "no room for figures": "mount -t tmpfs -o size=4k none figures",
    "no room for scratch": "mount -t tmpfs -o size=8k none _build",
    "no more files": "mount -t tmpfs -o nr_inodes=2 none _output",
    "no more files among the figures": "mount -t tmpfs -o nr_inodes=1 none figures",
    "no more scratch files": "mount -t tmpfs -o nr_inodes=3 none _build",
    "no more temporary files": "mkdir ../t && mount -t tmpfs -o nr_inodes=2 none ../t && export TMPDIR=../t",
    "documents cannot be written": "mount --bind _output _output && mount -o remount,bind,ro _output",
    "nothing can be written": 'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD"',
}


@needs_root
@pytest.mark.parametrize(
    "trouble",
    [name if name == "no room for documents" else pytest.param(name, marks=faults) for name in TROUBLES],
)
def test_where_nothing_can_be_written_the_old_documents_stay(
    trouble: str, fresh: Callable[..., Path]
) -> None:
    folder = fresh(changed=True)
    before = outputs(folder)
    done = run(["unshare", "-m", *after(TROUBLES[trouble], RENDER)], folder)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    assert any(words in said for words in ("No space left", "Read-only", "cannot write")), said
    assert outputs(folder) == before
    again = run(RENDER, folder)
    assert again.returncode == 0, again.stdout + again.stderr
    undisturbed = fresh(changed=True)
    subprocess.run(RENDER, cwd=undisturbed, check=True, stdout=subprocess.DEVNULL)
    assert outputs(folder) == outputs(undisturbed)
