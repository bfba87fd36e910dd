"""What the commands share: opening the home, the clock, printing. I/O: the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tillit.errors import KeyFileError
from tillit.model import parse_instant

if TYPE_CHECKING:
    from tillit.home import Home

__all__ = ["INSTANT", "as_json", "now_option", "open_home", "passphrase", "show", "table"]


class _Instant(click.ParamType[datetime]):
    """An instant in UTC, as ``2026-03-01T06:00:00Z``."""

    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read the instant; a local time is refused."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_instant(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


INSTANT = _Instant()

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")

now_option = click.option(
    "--now",
    type=INSTANT,
    default=lambda: datetime.now(UTC),
    show_default="the clock",
    help="Act as of this instant, to replay a history.",
)


def passphrase(ctx: click.Context, *, new: bool = False) -> Callable[[], bytes]:
    """How to come by the passphrase: out of the file that was named, else by asking.

    A ``new`` one is asked for twice: after a slip nobody could open the keys again.
    """
    file = ctx.find_root().obj["passphrase_file"]
    return partial(_passphrase, None if file is None else Path(file), new)


def _passphrase(file: Path | None, new: bool) -> bytes:
    if file is not None:
        if file.stat().st_mode & 0o077:
            raise KeyFileError(
                "mode",
                f"{file} can be read by others",
                expected="mode 0600",
                found=oct(file.stat().st_mode & 0o777),
            )
        return file.read_bytes().rstrip(b"\r\n")
    asked = click.prompt("passphrase", hide_input=True, err=True, confirmation_prompt=new)
    return str(asked).encode()


def open_home(ctx: click.Context) -> Home:
    """Open the home that ``--home`` names; it is closed when the command ends."""
    from tillit.home import Home

    home = Home.open(Path(ctx.find_root().obj["home"]), passphrase=passphrase(ctx))
    ctx.call_on_close(home.close)
    return home


def show(value: object, *, as_json: bool, lines: Iterable[str]) -> None:
    """Print JSON for a machine, or lines for a person."""
    if as_json:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    else:
        for line in lines:
            click.echo(line)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a plain table: numbers to the right, the rest to the left, ``-`` for nothing."""
    cells = [["-" if c is None else str(c) for c in row] for row in rows]
    numeric = [
        all(_is_number(row[i]) or row[i] == "-" for row in cells) and bool(cells)
        for i in range(len(head))
    ]
    widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()

    return [line(head), line(["-" * width for width in widths]), *map(line, cells)]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).replace(",", "").isdigit()
