"""``tillit airflow``: what Airflow must be told to run a home's schedule."""

from __future__ import annotations

import json
import shlex

import click

from tillit.cli.common import open_home

__all__ = ["airflow"]


@click.group()
def airflow() -> None:
    """Run the schedule: settings for Airflow."""


@airflow.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.pass_context
def env(ctx: click.Context, as_json: bool) -> None:
    """Print the environment for Airflow: `eval "$(tillit airflow env)"; airflow standalone`."""
    from tillit.airflow.environment import environment

    settings = environment(open_home(ctx))
    if as_json:
        click.echo(json.dumps(settings, indent=2))
        return
    for name, value in settings.items():
        click.echo(f"export {name}={shlex.quote(value)}")
