"""Entries of the model store that the present sources never read again: `python -m fnn.runs.unreachable`.

Lists them, and with --remove removes them. An entry is reachable if the method that its key names exists and
the key records for it the same function, the same digest of every module and the same versions of the
libraries as `training.METHOD_KEYS` has now: some call of `train_restarts` still has that key, whatever its
data, seed and sizes are. All others, and files that are no sound entries, can only be computed anew. Where
machines with other libraries share a store, theirs are among them.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from fnn.inputs import environment
from fnn.runs import store
from fnn.training import METHOD_KEYS


def unreachable(root: Path) -> Iterator[Path]:
    """The entries in the folder `root` that no key of the present sources names."""
    for path in sorted(root.glob("*.safetensors")):
        try:
            key = store.key_of(path)
        except (OSError, store.DamagedEntryError):
            yield path
            continue
        settings = key.get("settings")
        method = settings.get("method") if isinstance(settings, dict) else None
        present = METHOD_KEYS.get(str(method))
        if present is None or any(key.get(part) != value for part, value in present.items()):
            yield path


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m fnn.runs.unreachable",
        description="Entries of the model store that the present sources never read again.",
    )
    parser.add_argument("--remove", action="store_true", help="remove them; listed only, by default")
    remove = parser.parse_args(arguments).remove
    root = environment.store()
    found = list(unreachable(root))
    size = sum(path.stat().st_size for path in found)
    kept = len(list(root.glob("*.safetensors"))) - len(found)
    for path in found:
        if remove:
            path.unlink(missing_ok=True)
        else:
            print(path)
    print(
        f"{root}: {len(found)} entries ({size / 1e6:.1f} MB) that the present sources cannot reach"
        f"{', removed' if remove else ''}; {kept} stay"
    )


if __name__ == "__main__":
    main()
