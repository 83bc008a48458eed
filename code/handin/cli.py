"""The command line: `handin …`, the same as `python -m handin …`."""

from __future__ import annotations

import importlib
import shutil
import signal
import sys
from pathlib import Path

import click

from handin import __version__, commands
from handin.errors import HandinError, near


class _Commands(click.Group):
    """Prints a `HandinError` as its message alone and exits with status 1; Ctrl-C exits with 130."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HandinError as error:
            click.echo(f"{click.style('error:', fg='red', bold=True)} {error}", err=True)
            sys.exit(1)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            place = f"{error.filename}: " if error.filename else ""
            # A copied folder has a list of failures: file, copy and reason of each.
            reason = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror or error
            click.echo(
                f"{click.style('error:', fg='red', bold=True)} {place}{reason}; "
                "look at this file's permissions and at the room on the disk",
                err=True,
            )
            sys.exit(1)
        except MemoryError:
            click.echo("error: the memory has run out; close other programs, or raise the limit", err=True)
            sys.exit(1)
        except KeyboardInterrupt as interruption:
            if str(interruption):
                click.echo(str(interruption), err=True)
            click.echo("interrupted; the last complete documents are untouched", err=True)
            sys.exit(130)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(commands.names())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and (meant := near(args[0], self.list_commands(ctx))):
            raise click.UsageError(f"there is no command `{args[0]}`; did you mean `{meant}`?", ctx)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in commands.names():
            command: click.Command = importlib.import_module(f"{commands.__name__}.{name}").command
            return command
        return None


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The project's folder, or one inside it. [default: here]",
)
@click.version_option(__version__, prog_name="handin", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, folder: Path) -> None:
    """Renders, checks and packs a literate hand-in."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGTERM leaves by the same door as Ctrl-C
        signal.signal(number, signal.default_int_handler)
    ctx.obj = folder
