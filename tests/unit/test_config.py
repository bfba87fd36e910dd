"""A home's config.toml: what is read, what is refused and by which code, what is written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tillit.config import CONFIG_FILE, Config, read_config, write_config
from tillit.errors import ConfigError, HomeError

LEAST = """
[party]
id = "nordvik"
name = "Nordvik Motor"
[mailbox]
url = "file:///srv/mail/nordvik"
"""


def home(folder: Path, text: str) -> Path:
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    return folder


def refusal(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_config(home(folder, text))
    return caught.value


def test_the_least_that_a_home_says(tmp_path: Path) -> None:
    config = read_config(home(tmp_path, LEAST))
    assert config == Config("nordvik", "Nordvik Motor", "file:///srv/mail/nordvik")
    assert config.memory_limit == "1GB"
    assert config.database_url_file is None


def test_paths_are_taken_from_the_home(tmp_path: Path) -> None:
    text = (
        LEAST
        + """known_hosts = "keys/known_hosts"
user = "tillit"
[database]
url_file = "keys/database"
[lake]
data = "data"
memory_limit = "3GB"
threads = "2"
[paths]
contracts = "../ours"
transforms = "/opt/sql"
[sources]
demand_forecast = "plan.parquet"
order = "erp.duckdb#main.orders"
"""
    )
    config = read_config(home(tmp_path, text))
    assert config.mailbox == {"known_hosts": f"{tmp_path}/keys/known_hosts", "user": "tillit"}
    assert config.database_url_file == tmp_path / "keys" / "database"
    assert config.lake_data == f"{tmp_path}/data"
    assert config.memory_limit == "3GB"
    assert config.threads == 2
    assert config.contracts == tmp_path.parent / "ours"
    assert config.transforms == Path("/opt/sql")
    assert config.sources == {
        "demand_forecast": f"{tmp_path}/plan.parquet",
        "order": f"{tmp_path}/erp.duckdb#main.orders",
    }


def test_a_lake_in_an_object_store_stays_an_address(tmp_path: Path) -> None:
    config = read_config(home(tmp_path, LEAST + '[lake]\ndata = "s3://bucket/lake"\n'))
    assert config.lake_data == "s3://bucket/lake"


def test_what_was_read_cannot_be_changed(tmp_path: Path) -> None:
    config = read_config(home(tmp_path, LEAST + '[sources]\norder = "o.csv"\n'))
    with pytest.raises(TypeError):
        config.sources["order"] = "another.csv"  # type: ignore[index]
    with pytest.raises(AttributeError):
        config.party_id = "other"  # type: ignore[misc]


@pytest.mark.parametrize("where", ["", "nowhere", CONFIG_FILE])
def test_a_folder_without_the_file_is_no_home(tmp_path: Path, where: str) -> None:
    if where == CONFIG_FILE:
        (tmp_path / where).touch()  # a file where a folder should be
    with pytest.raises(HomeError) as caught:
        read_config(tmp_path / where)
    assert caught.value.code == "home.missing"
    assert caught.value.expected is not None
    assert "tillit home init" in caught.value.expected


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("[party\n", "config.unreadable", CONFIG_FILE),
        (LEAST + "[other]\n", "config.unknown-key", "other"),
        (LEAST + 'colour = "red"\n', "config.unknown-key", "colour"),
        (LEAST + '[lake]\nmemory = "1GB"\n', "config.unknown-key", "memory"),
        (LEAST.replace('name = "Nordvik Motor"', ""), "config.missing-key", "name"),
        (LEAST.replace('id = "nordvik"', ""), "config.missing-key", "id"),
        (LEAST.split("[mailbox]", maxsplit=1)[0], "config.missing-key", "url"),
        ("", "config.missing-key", "id"),
        (LEAST.replace('"nordvik"', '"Nordvik"'), "config.wrong-value", "Nordvik"),
        (LEAST.replace('"nordvik"', '"../etc"'), "config.wrong-value", "../etc"),
        (LEAST.replace('"nordvik"', "7"), "config.wrong-value", "7"),
        (LEAST + "[lake]\nmemory_limit = 2\n", "config.wrong-value", "lake.memory_limit"),
        (LEAST + '[lake]\nthreads = "0"\n', "config.wrong-value", "lake.threads"),
        (LEAST + "[sources]\norder = ['a']\n", "config.wrong-value", "sources.order"),
        (LEAST + "[sources]\n'Order; drop' = 'a'\n", "config.wrong-value", "Order; drop"),
        ("lake = 'here'\n" + LEAST, "config.wrong-value", "lake"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, code: str, named: str) -> None:
    error = refusal(tmp_path, text)
    assert error.code == code
    assert error.exit_code == 2
    assert named in str(error)
    assert CONFIG_FILE in error.message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path)
    assert caught.value.code == "config.unreadable"


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).mkdir()
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path)
    assert caught.value.code == "config.unreadable"


def test_writing_never_replaces(tmp_path: Path) -> None:
    config = Config("nordvik", "Nordvik", "file:///mail")
    write_config(tmp_path, config)
    before = (tmp_path / CONFIG_FILE).read_bytes()
    with pytest.raises(FileExistsError):
        write_config(tmp_path, Config("other", "Other", "file:///mail"))
    assert (tmp_path / CONFIG_FILE).read_bytes() == before


def test_what_was_not_decided_is_not_written(tmp_path: Path) -> None:
    write_config(tmp_path, Config("nordvik", "Nordvik", "file:///mail"))
    written = tomllib.loads((tmp_path / CONFIG_FILE).read_text(encoding="utf-8"))
    assert written == {
        "party": {"id": "nordvik", "name": "Nordvik"},
        "mailbox": {"url": "file:///mail"},
        "lake": {"memory_limit": "1GB"},
        "sources": {},
    }
