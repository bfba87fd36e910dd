"""``tillit airflow``: run a home's schedule."""

from __future__ import annotations

import json
import shlex

import click

from tillit.cli.common import open_home

__all__ = ["airflow"]


@click.group()
def airflow() -> None:
    """Run the schedule in Airflow."""


_port = click.option(
    "--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Of its pages."
)


@airflow.command()
@_port
@click.pass_context
def standalone(ctx: click.Context, port: int) -> None:
    """Run all parts of Airflow for this home, until Ctrl-C or until one of them ends."""
    from tillit.airflow.standalone import standalone as run

    ended = run(open_home(ctx), port=port)
    raise click.ClickException(f"airflow {ended} has ended")


@airflow.command(context_settings={"ignore_unknown_options": True})
@_port
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(ctx: click.Context, port: int, arguments: tuple[str, ...]) -> None:
    """Run one of Airflow's own commands for this home: `tillit airflow run dags list`."""
    from tillit.airflow.standalone import command

    ctx.exit(command(open_home(ctx), arguments, port=port))


@airflow.command()
@_port
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.pass_context
def env(ctx: click.Context, port: int, as_json: bool) -> None:
    """Print the environment for Airflow's processes, for a service manager.

    The home's own PostgreSQL does not stay up for them, as it does under `run`.
    """
    from tillit.airflow.environment import environment

    settings = environment(open_home(ctx), port=port)
    if as_json:
        click.echo(json.dumps(settings, indent=2))
        return
    for name, value in settings.items():
        click.echo(f"export {name}={shlex.quote(value)}")
