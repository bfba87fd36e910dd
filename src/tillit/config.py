"""A home's ``config.toml``: read, checked, written. I/O: that one file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tillit.errors import ConfigError, HomeError
from tillit.model import NAME, PARTY_ID

__all__ = ["CONFIG_FILE", "Config", "read_config", "write_config"]

CONFIG_FILE = "config.toml"

_TABLES: Mapping[str, frozenset[str]] = {
    "party": frozenset({"id", "name"}),
    "mailbox": frozenset({"url", "known_hosts", "key_file", "password_file", "user"}),
    "database": frozenset({"url_file"}),
    "lake": frozenset({"data", "memory_limit", "threads"}),
    "paths": frozenset({"contracts", "transforms"}),
    "sources": frozenset(),  # names are the party's own
}


@dataclass(frozen=True)
class Config:
    """What a party decides about its home; paths are absolute.

    ``database_url_file`` names a 0600 file that holds a PostgreSQL URL, because a URL may hold a
    password; without it the home runs its own PostgreSQL. ``mailbox`` holds what reaching
    mailboxes needs (``known_hosts``, ``key_file``, ``password_file``, ``user``). ``threads`` is how
    many cores a question to the lake may use; all where it is not said.
    """

    party_id: str
    party_name: str
    mailbox_url: str
    mailbox: Mapping[str, str] = field(default_factory=dict)
    database_url_file: Path | None = None
    lake_data: str | None = None
    memory_limit: str = "1GB"
    threads: int | None = None
    contracts: Path | None = None
    transforms: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mailbox", MappingProxyType(dict(self.mailbox)))
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))


def read_config(home: Path) -> Config:
    """The configuration of a home; HomeError if there is none, ConfigError if it is wrong."""
    path = home / CONFIG_FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise HomeError(
            "missing",
            f"{home} is not a home",
            expected=f"a {CONFIG_FILE} in it (tillit home init)",
            found="none",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("unreadable", f"{path} cannot be read: {error}") from error
    tables = {name: _table(path, raw, name) for name in _TABLES}
    unknown = sorted(set(raw) - set(_TABLES))
    if unknown:
        raise ConfigError(
            "unknown-key", f"{path}", expected=f"the tables {', '.join(_TABLES)}", found=unknown[0]
        )
    return _config(path, home, tables)


def _config(path: Path, home: Path, tables: Mapping[str, Mapping[str, str]]) -> Config:
    party, mailbox = tables["party"], tables["mailbox"]
    party_id = _required(path, party, "party", "id")
    if not PARTY_ID.fullmatch(party_id):
        raise ConfigError(
            "wrong-value", f"{path}: party.id", expected=PARTY_ID.pattern, found=party_id
        )
    for name in tables["sources"]:
        if not NAME.fullmatch(name):
            raise ConfigError(
                "wrong-value", f"{path}: a name in sources", expected=NAME.pattern, found=name
            )

    def folder(table: str, key: str) -> Path | None:
        value = tables[table].get(key)
        return None if value is None else (home / value).resolve()

    rest = {k: v for k, v in mailbox.items() if k != "url"}
    for key in ("known_hosts", "key_file", "password_file"):
        if key in rest:
            rest[key] = str((home / rest[key]).resolve())
    return Config(
        party_id=party_id,
        party_name=_required(path, party, "party", "name"),
        mailbox_url=_required(path, mailbox, "mailbox", "url"),
        mailbox=rest,
        database_url_file=folder("database", "url_file"),
        lake_data=_located(home, tables["lake"].get("data")),
        memory_limit=tables["lake"].get("memory_limit", "1GB"),
        threads=_threads(path, tables["lake"].get("threads")),
        contracts=folder("paths", "contracts"),
        transforms=folder("paths", "transforms"),
        sources={name: _source(home, where) for name, where in tables["sources"].items()},
    )


def _threads(path: Path, text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise ConfigError(
            "wrong-value", f"{path}: lake.threads", expected="a number from 1 to 999", found=text
        )
    return int(text)


def _located(home: Path, where: str | None) -> str | None:
    if where is None or "://" in where:
        return where
    return str((home / where).resolve())


def _source(home: Path, where: str) -> str:
    """A source's path made absolute; what follows ``#`` names a table in a DuckDB file."""
    file, mark, table = where.partition("#")
    return f"{(home / file).resolve()}{mark}{table}"


def _table(path: Path, raw: Mapping[str, Any], name: str) -> Mapping[str, str]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError("wrong-value", f"{path}: {name}", expected="a table", found=table)
    known = _TABLES[name]
    for key, value in table.items():
        if known and key not in known:
            raise ConfigError(
                "unknown-key", f"{path}: {name}", expected=", ".join(sorted(known)), found=key
            )
        if not isinstance(value, str):
            raise ConfigError(
                "wrong-value", f"{path}: {name}.{key}", expected="a string", found=value
            )
    return table


def _required(path: Path, table: Mapping[str, str], name: str, key: str) -> str:
    try:
        return table[key]
    except KeyError:
        raise ConfigError(
            "missing-key", f"{path}: {name}", expected=f"a key {key}", found=", ".join(table)
        ) from None


def write_config(home: Path, config: Config) -> None:
    """Write a home's configuration; the file must not be there yet."""
    lines = [
        "# One party's installation. Paths are relative to this folder.",
        "[party]",
        f"id = {_toml(config.party_id)}",
        f"name = {_toml(config.party_name)}",
        "",
        "[mailbox]  # where partners put what they send us: a folder, sftp://, s3://",
        f"url = {_toml(config.mailbox_url)}",
        *(f"{key} = {_toml(value)}" for key, value in config.mailbox.items()),
        "",
    ]
    if config.database_url_file is not None:
        lines += ["[database]", f"url_file = {_toml(str(config.database_url_file))}", ""]
    lake = {
        "data": config.lake_data,
        "memory_limit": config.memory_limit,
        "threads": config.threads,
    }
    lines += ["[lake]", *(f"{k} = {_toml(str(v))}" for k, v in lake.items() if v is not None), ""]
    paths = {"contracts": config.contracts, "transforms": config.transforms}
    if any(paths.values()):
        lines += ["[paths]", *(f"{k} = {_toml(str(v))}" for k, v in paths.items() if v), ""]
    lines += [
        "[sources]  # name = a Parquet, CSV or DuckDB file (file.duckdb#table)",
        *(f"{name} = {_toml(where)}" for name, where in config.sources.items()),
    ]
    with (home / CONFIG_FILE).open("x", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
