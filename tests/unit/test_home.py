"""A home: what is made, how privately, and what is opened when."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tillit.cli import cli
from tillit.config import CONFIG_FILE
from tillit.crypto.keys import KeyRing
from tillit.errors import (
    ConfigError,
    DatabaseUnavailable,
    HomeError,
    KeyFileError,
    PartyRefused,
    TillitError,
)
from tillit.home import Home, create_home

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
SECRET = b"correct horse battery staple"


def made(folder: Path, party: str = "nordvik", name: str = "Nordvik Motor") -> Home:
    return create_home(folder, party_id=party, name=name, now=NOW)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes") / "nordvik"
    made(folder).close()
    return folder


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Iterator[Home]:
    """A copy of one home: to make keys costs."""
    folder = tmp_path / "nordvik"
    shutil.copytree(template, folder)
    with Home.open(folder) as opened:
        yield opened


def modes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777
        for path in folder.rglob("*")
    }


# ---- making ----------------------------------------------------------------------------------


def test_what_is_made_is_private(template: Path) -> None:
    found = modes(template)
    assert template.stat().st_mode & 0o777 == 0o700
    assert {name for name in found if "/" not in name} == {
        *("keys", "parties", "outbox", "spool", "sources", "mailbox"),
        CONFIG_FILE,
    }
    for name in ("keys", "parties", "parties/nordvik", "outbox", "spool", "sources"):
        assert found[name] == 0o700, name
    keys = [mode for name, mode in found.items() if name.startswith("keys/")]
    assert keys
    assert set(keys) == {0o600}


def test_no_database_is_started_to_make_or_list(home: Home) -> None:
    assert home.party("nordvik").name == "Nordvik Motor"
    assert list(home.parties) == ["nordvik"]
    assert len(home.documents("nordvik")) == 1
    assert not (home.folder / "postgres").exists()
    assert not (home.folder / "lake").exists()


def test_the_mailbox_is_in_the_home_unless_said(home: Home, template: Path) -> None:
    assert home.config.mailbox_url == (template / "mailbox").as_uri()
    assert home.incoming.senders() == []


def test_a_home_is_never_made_over_another(template: Path) -> None:
    before = {p: p.read_bytes() for p in template.rglob("*") if p.is_file()}
    with pytest.raises(HomeError) as caught:
        made(template)
    assert caught.value.code == "home.exists"
    assert {p: p.read_bytes() for p in template.rglob("*") if p.is_file()} == before


def test_keys_without_a_configuration_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    with pytest.raises(HomeError):
        made(tmp_path)


@pytest.mark.parametrize("party", ["Nordvik", "../nordvik", "", "nord/vik", "n" * 40, "nordvik\n"])
def test_an_id_that_is_none_makes_nothing(tmp_path: Path, party: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(tmp_path / "home", party=party)
    assert caught.value.code == "config.wrong-value"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["", " Nordvik", "a\x1b[2J", "x" * 1000, "\u202emotor"])
def test_after_a_wrong_name_the_right_one_can_be_given(tmp_path: Path, name: str) -> None:
    with pytest.raises(PartyRefused):
        made(tmp_path, name=name)
    assert not (tmp_path / "keys").exists()
    assert made(tmp_path).party("nordvik").name == "Nordvik Motor"


@pytest.mark.parametrize(
    "url", ["http://mail/x", "sftp://u:secret@mail/x", "mail", "file:///a/../b"]
)
def test_a_wrong_mailbox_makes_nothing_and_shows_no_password(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "home"
    with pytest.raises(TillitError) as caught:
        create_home(folder, party_id="nordvik", name="N", now=NOW, mailbox_url=url)
    assert "secret" not in str(caught.value)
    assert not folder.exists()


# ---- opening ---------------------------------------------------------------------------------


def test_a_home_is_shown_by_its_party_only(home: Home) -> None:
    assert repr(home) == "Home(nordvik)"


def test_without_keys_nothing_is_signed(home: Home) -> None:
    shutil.rmtree(home.folder / "keys")
    with pytest.raises(HomeError) as caught:
        _ = home.keys
    assert caught.value.code == "home.without-keys"
    assert home.party("nordvik").id == "nordvik"  # what is public is still there


def test_locked_keys_open_with_the_passphrase_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = KeyRing.create.__func__  # type: ignore[attr-defined]
    monkeypatch.setitem(create.__kwdefaults__, "work_factor", 10)  # else it costs seconds, rightly
    folder = tmp_path / "home"
    create_home(folder, party_id="nordvik", name="N", now=NOW, passphrase=SECRET).close()
    asked = []

    def ask(answer: bytes) -> bytes:
        asked.append(answer)
        return answer

    with Home.open(folder, passphrase=lambda: ask(SECRET)) as opened:
        assert opened.party("nordvik").keys
        assert asked == []  # asked only where a key is needed
        assert opened.keys.generations
        assert opened.keys is opened.keys
        assert asked == [SECRET]
    for wrong in (None, lambda: b"another"):
        with Home.open(folder, passphrase=wrong) as opened, pytest.raises(KeyFileError) as caught:
            _ = opened.keys
        assert caught.value.code == "key.passphrase"
    everything = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assert SECRET not in everything


def test_open_keys_ask_for_no_passphrase(home: Home) -> None:
    def ask() -> bytes:
        raise AssertionError("asked for nothing")

    with Home.open(home.folder, passphrase=ask) as opened:
        assert opened.keys.generations


def test_the_url_of_a_database_comes_out_of_a_private_file(home: Home) -> None:
    url = home.folder / "database"
    url.write_text("postgresql://tillit:secret@127.0.0.1:1/ledger\n", encoding="utf-8")
    with (home.folder / CONFIG_FILE).open("a", encoding="utf-8") as file:
        file.write('[database]\nurl_file = "database"\n')
    url.chmod(0o644)
    with Home.open(home.folder) as opened, pytest.raises(KeyFileError) as caught:
        _ = opened.database
    assert caught.value.code == "key.mode"
    url.chmod(0o600)
    with Home.open(home.folder) as opened:
        assert "secret" not in repr(opened.database)
        with pytest.raises(DatabaseUnavailable) as unreachable:
            _ = opened.ledger.heads()
        assert "secret" not in str(unreachable.value)
    assert not (home.folder / "postgres").exists()


# ---- whom it knows ---------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", ["skogtre", "", "../nordvik", ".", "nordvik/../nordvik"])
def test_a_stranger_is_refused_by_name(home: Home, stranger: str) -> None:
    assert home.documents(stranger) == []
    with pytest.raises(PartyRefused) as caught:
        home.party(stranger)
    assert caught.value.code == "party.unknown"
    assert "nordvik" in (caught.value.expected or "")


def test_what_an_interrupted_acquaintance_left_is_nobody(home: Home) -> None:
    (home.folder / "parties" / "skogtre").mkdir()
    (home.folder / "parties" / ".thumbnails").mkdir()
    (home.folder / "parties" / "notes.txt").touch()
    assert list(home.parties) == ["nordvik"]


def test_a_document_is_kept_once(home: Home, tmp_path: Path) -> None:
    with made(tmp_path / "other", party="fjordstal", name="Fjordstål") as other:
        party, envelope = other.party("fjordstal"), other.documents("fjordstal")[0]
    home.keep_party(party, envelope)
    assert home.party("fjordstal").name == "Fjordstål"
    with Home.open(home.folder) as again:
        assert again.party("fjordstal") == party
    with pytest.raises(FileExistsError):
        home.keep_party(party, b"another")
    assert home.documents("fjordstal") == [envelope]


def test_a_document_that_was_changed_on_disk_is_noticed(home: Home) -> None:
    (path,) = (home.folder / "parties" / "nordvik").glob("*.dsse.json")
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))
    with pytest.raises(PartyRefused):
        _ = home.parties


def test_a_new_passphrase_is_asked_for_twice(tmp_path: Path) -> None:
    """After a slip nobody could open the keys again."""
    arguments = ["home", "init", str(tmp_path / "h"), "--party", "nordvik", "--name", "N"]
    slip = CliRunner().invoke(cli, [*arguments, "--passphrase"], input="one\nanother\n")
    assert slip.exit_code != 0
    assert not (tmp_path / "h" / "keys").exists()
