"""The command line: one small module per group of commands, imported when it is called.

`tillit --help` must answer at once, so nothing heavy is imported here, and what a command needs
is imported inside it.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import click

from tillit import __version__
from tillit.errors import Refusal, TillitError, Unavailable

__all__ = ["LazyGroup", "cli", "main"]


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps, and imports them on use."""

    lazy: ClassVar[Mapping[str, tuple[str, str]]] = {
        "home": ("tillit.cli.home:home", "Make a home and look at it."),
        "party": ("tillit.cli.party:party", "Who we are, whom we know, and keys."),
        "agreement": ("tillit.cli.agreement:agreement", "Access agreements: write, check, sign."),
        "publish": ("tillit.cli.exchange:publish", "Publish what is due under an agreement."),
        "receive": ("tillit.cli.exchange:receive", "Collect, judge, land and acknowledge."),
        "observe": ("tillit.cli.exchange:observe", "Record what we saw ourselves, as a witness."),
        "ledger": ("tillit.cli.ledger:ledger", "The record of everything sent and received."),
        "custody": ("tillit.cli.custody:custody", "What must be deleted by when, and is."),
        "query": ("tillit.cli.query:query", "Ask the lake in SQL, for a purpose."),
        "export": ("tillit.cli.query:export", "Pass on what was made of partners' rows."),
        "trust": ("tillit.cli.trust:trust", "How much information is shared."),
        "demo": ("tillit.cli.demo:demo", "Two homes and three more suppliers trade for a year."),
        "airflow": ("tillit.cli.airflow:airflow", "Run the schedule in Airflow."),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a newcomer needs them."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that was asked for, and no other."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module, name = self.lazy[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tillit")
@click.option(
    "--home",
    "home",
    envvar="TILLIT_HOME",
    type=click.Path(file_okay=False),
    default=".",
    help="The home to work in; also TILLIT_HOME.  [default: this folder]",
)
@click.option(
    "--passphrase-file",
    envvar="TILLIT_PASSPHRASE_FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="File with the passphrase of the keys; without it you are asked where one is needed.",
)
@click.pass_context
def cli(ctx: click.Context, home: str, passphrase_file: str | None) -> None:
    """tillit: exchange plans under agreements both have signed, and see how much is shared."""
    ctx.obj = {"home": home, "passphrase_file": passphrase_file}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; ends the process with the exit code of the error tree."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(arguments, prog_name="tillit", standalone_mode=False)
    except TillitError as error:
        _say(error, as_json="--json" in arguments)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _say(error: TillitError, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {
            "error": error.code,
            "message": error.message,
            "expected": error.expected,
            "found": error.found,
        }
        click.echo(json.dumps(told), err=True)
        return
    word = "error"
    if isinstance(error, Refusal):
        word = "refused"
    elif isinstance(error, Unavailable):
        word = "unavailable, try again"
    click.echo(f"{word} [{error.code}]: {error.message}", err=True)
    if error.expected is not None:
        click.echo(f"  expected: {error.expected}", err=True)
    if error.found is not None:
        click.echo(f"  found:    {error.found}", err=True)
