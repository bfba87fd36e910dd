"""The command line: every command, its JSON, its exit codes, and what it never shows."""

from __future__ import annotations

import base64
import hashlib
import inspect
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from tests.histories import history

from tillit import __version__, errors, places
from tillit.cli import cli, main
from tillit.cli.common import table
from tillit.crypto.keys import KeyRing
from tillit.errors import (
    AgreementRefused,
    DatabaseUnavailable,
    MailboxUnavailable,
    PayloadRefused,
    StatementRefused,
    TillitError,
)
from tillit.exchange.use import Answer
from tillit.home import Home, create_home

PASSPHRASE = "correct horse battery staple"
NOW = "2026-01-05T06:00:00Z"


@dataclass
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def run(*arguments: str | Path, home: Path | None = None) -> Ran:
    """Run the command line in this process, as `tillit` would."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    there = [] if home is None else ["--home", str(home)]
    code: Any = "main must exit"
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([*there, *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code
    said = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        said.append(stream.read())
    return Ran(code, *said)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY = dict(commands(cli))
LEAVES = {name: c for name, c in EVERY.items() if not isinstance(c, click.Group)}
WITH_JSON = {n for n, c in LEAVES.items() if any(p.name == "as_json" for p in c.params)}


# ---- help ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_each_command_explains_itself(name: str) -> None:
    command = EVERY[name]
    ran = run(*name.split(), "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out.startswith(f"Usage: tillit {name}")
    assert command.help
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or parameter.opts[0] in ran.out


def test_the_short_help_of_each_command_is_on_the_first_page() -> None:
    ran = run("--help")
    for name in EVERY:
        if " " not in name:
            assert re.search(rf"^  {name} ", ran.out, re.MULTILINE)
    assert ran.out == run("-h").out


def test_the_version() -> None:
    assert run("--version").out.strip() == f"tillit, version {__version__}"


def test_no_help_imports_what_only_work_needs() -> None:
    probe = """
import sys
from tillit.cli import main
names = sys.argv[1].split(",")
for name in names:
    try:
        main([*name.split(), "--help"])
    except SystemExit as ended:
        assert ended.code == 0, name
heavy = {"airflow", "asyncpg", "cryptography", "duckdb", "fsspec", "great_expectations", "jinja2",
         "jsonschema", "matplotlib", "numpy", "paramiko", "pyarrow", "rich", "sqlalchemy",
         "sqlglot", "yaml"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    ran = subprocess.run(
        [sys.executable, "-c", probe, ",".join(EVERY)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("Usage: tillit") == len(EVERY)


def test_no_secret_can_be_given_where_everybody_sees_it() -> None:
    """A process's arguments are no secret: secrets come out of files, or are asked for."""
    secret = re.compile(r"pass|secret|key|token|credential")
    for command in [cli, *EVERY.values()]:
        for parameter in command.params:
            if any(secret.search(option) for option in parameter.opts):
                is_flag = isinstance(parameter, click.Option) and parameter.is_flag
                assert is_flag or isinstance(parameter.type, click.Path), parameter.opts


# ---- errors ----------------------------------------------------------------------------------


FAMILIES = sorted(
    (c for _, c in inspect.getmembers(errors, inspect.isclass) if getattr(c, "codes", None)),
    key=lambda c: c.__name__,
)
CODES = {
    "UsageError": 2,
    "ConfigError": 2,
    "HomeError": 2,
    "KeyFileError": 2,
    "ContractRefused": 3,
    "PartyRefused": 4,
    "AgreementRefused": 5,
    "StatementRefused": 6,
    "PayloadRefused": 7,
    "TableRefused": 8,
    "LedgerBroken": 9,
    "Unavailable": 75,
    "MailboxUnavailable": 75,
    "DatabaseUnavailable": 75,
}


def raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("tillit.cli.exchange.open_home", fail)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda c: c.__name__)
def test_each_family_of_errors_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, family: type[TillitError]
) -> None:
    code = min(family.codes)
    raises(monkeypatch, family(code, "it is wrong", expected="right", found="wrong"))
    ran = run("publish", "x")
    assert ran.code == CODES[family.__name__]
    assert ran.out == ""
    first, *rest = ran.err.splitlines()
    assert first.endswith(f"[{family.family}.{code}]: it is wrong")
    assert rest == ["  expected: right", "  found:    wrong"]
    told = run("publish", "x", "--json")
    assert told.code == ran.code
    assert told.out == ""
    assert json.loads(told.err) == {
        "error": f"{family.family}.{code}",
        "message": "it is wrong",
        "expected": "right",
        "found": "wrong",
    }


def test_the_first_word_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, word in (
        (MailboxUnavailable("unreachable", "x"), "unavailable, try again [mailbox.unreachable]"),
        (StatementRefused("gap", "x"), "refused [statement.gap]"),
        (errors.UsageError("argument", "x"), "error [usage.argument]"),
    ):
        raises(monkeypatch, error)
        assert run("receive").err == f"{word}: x\n"


def test_a_strangers_text_moves_no_cursor_and_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b[2J\x07\r" + "x" * 5000
    raises(monkeypatch, PayloadRefused("digest", "m", expected="y", found=evil))
    ran = run("receive")
    assert not set("\x1b\x07\r") & set(ran.err)
    assert len(ran.err) < 400


def test_whoever_stops_it_gets_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    raises(monkeypatch, KeyboardInterrupt())
    ran = run("receive")
    assert (ran.code, ran.err.strip()) == (130, "stopped")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["party", "nonsense"], "No such command 'nonsense'"),
        (["publish"], "Missing argument 'AGREEMENT'"),
        (["publish", "x", "--now", "yesterday"], "2026-03-01T06:00:00Z"),
        (["publish", "x", "--now", "2026-03-01T06:00:00"], "2026-03-01T06:00:00Z"),
        (["publish", "x", "--revision", "two"], "not a valid integer"),
        (["party", "add", "/nowhere/at/all"], "does not exist"),
        (["--passphrase-file", "/nowhere/at/all", "party", "list"], "does not exist"),
        (["agreement", "new", "--every", "fortnight"], "fortnight"),
    ],
)
def test_wrong_arguments(arguments: list[str], says: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        *(["home", "show"], ["party", "list"], ["party", "export"], ["party", "rotate"]),
        *(["agreement", "list"], ["publish", "x"], ["receive"], ["ledger", "list"]),
        *(["ledger", "verify"], ["query", "select 1"], ["trust", "show"], ["airflow", "env"]),
        *(["trust", "report"], ["ledger", "show", "abc"], ["airflow", "run", "version"]),
    ],
    ids=" ".join,
)
def test_without_a_home_nothing_is_made(tmp_path: Path, arguments: list[str]) -> None:
    ran = run(*arguments, home=tmp_path)
    assert ran.code == 2
    assert ran.err.startswith("error [home.missing]: ")
    assert "tillit home init" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_tried_again(tmp_path: Path) -> None:
    url = tmp_path / "url"
    url.write_text("postgresql://tillit:hunter2@127.0.0.1:1/x")
    url.chmod(0o600)
    create_home(
        tmp_path / "home",
        party_id="nordvik",
        name="N",
        now=datetime.now(UTC),
        database_url_file=url,
    ).close()
    for arguments in (["ledger", "list"], ["ledger", "verify", "--json"], ["query", "select 1"]):
        ran = run(*arguments, home=tmp_path / "home")
        assert ran.code == DatabaseUnavailable.exit_code == 75
        assert "database.unreachable" in ran.err
        assert "hunter2" not in ran.out + ran.err


# ---- one home, every command -----------------------------------------------------------------


@dataclass
class Stand:
    """A home with a passphrase, made by the command line; and a partner."""

    home: Path
    partner: Path
    passphrase: Path
    secrets: set[str]

    def __call__(self, *arguments: str | Path) -> Ran:
        """Run a command; whatever it is, it shows no secret and no trace."""
        ran = run("--passphrase-file", self.passphrase, *arguments, home=self.home)
        said = ran.out + ran.err
        assert not [secret for secret in self.secrets if secret in said]
        assert "AGE-SECRET-KEY" not in said.upper()
        assert "PRIVATE KEY" not in said
        assert "Traceback" not in said
        return ran

    def learn(self) -> None:
        """Know the secrets that must not be shown."""
        stored = (self.home / "keys" / "keyring").read_bytes()
        assert stored.startswith(b"age-encryption.org/")  # locked, after a rotation too
        with Home.open(self.home, passphrase=PASSPHRASE.encode) as home:
            self.secrets |= {PASSPHRASE, *secrets_of(home.keys)}


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("cli")
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o600)
    partner = folder / "fjordstal"
    with create_home(
        partner, party_id="fjordstal", name="Fjordstål", now=datetime(2026, 1, 1, tzinfo=UTC)
    ) as other:
        (folder / "fjordstal.json").write_bytes(other.documents("fjordstal")[0])
    made = Stand(folder / "nordvik", partner, secret, {PASSPHRASE})
    with pytest.MonkeyPatch.context() as patch:
        for method in (KeyRing.create, KeyRing.load):  # a passphrase costs seconds, rightly
            patch.setitem(method.__func__.__kwdefaults__, "work_factor", 10)  # type: ignore[attr-defined]
        ran = made("home", "init", made.home, "--party", "nordvik", "--name", "Nordvik Motor")
        assert ran.code == 0, ran.err
        made.learn()
        assert len(made.secrets) > 3 * 3
        with Home.open(made.home) as home:
            # The embedded server stays up for the whole file: starting it anew costs a second.
            _ = home.database
            yield made


def secrets_of(ring: KeyRing) -> set[str]:
    """The seeds of all generations, in every way in which bytes are usually printed."""
    seeds = [
        seed
        for generation in ring.generations
        for part in (generation.signing, generation.identity)
        for seed in vars(part).values()
        if isinstance(seed, bytes) and len(seed) >= 32
    ]
    forms = (bytes.hex, repr, lambda b: base64.b64encode(b).decode().rstrip("="))
    urls = {base64.urlsafe_b64encode(seed).decode().rstrip("=") for seed in seeds}
    return urls | {form(seed) for seed in seeds for form in forms}


@pytest.fixture(scope="module")
def draft(stand: Stand) -> Path:
    """An agreement that we have signed and the partner has not."""
    ran = stand("party", "add", stand.home.parent / "fjordstal.json", "--fingerprint", other(stand))
    assert ran.code == 0, ran.err
    made = stand(
        *("agreement", "new", "--consumer", "fjordstal", "--kind", "order"),
        *("--start", "2026-01-01T00:00:00Z", "--end", "2027-01-01T00:00:00Z"),
        *("--every", "week", "--cut-off-hours", "-192", "--purpose", "order-fulfilment"),
        *("--withhold", "unit_price"),
    )
    assert made.code == 0, made.err
    file = stand.home.parent / "order.yaml"
    file.write_text(made.out, encoding="utf-8")
    signed = stand("agreement", "sign", file, "--now", NOW)
    assert signed.code == 0, signed.err
    assert "waits for the partner's signature" in signed.out
    return file


def other(stand: Stand) -> str:
    with Home.open(stand.partner) as home:
        return home.party("fjordstal").fingerprint


def test_a_home_is_not_made_twice(stand: Stand) -> None:
    ran = stand("home", "init", stand.home, "--party", "nordvik", "--name", "Nordvik")
    assert ran.code == 2
    assert "[home.exists]" in ran.err


def test_who_we_are(stand: Stand) -> None:
    told = stand("home", "show", "--json").json
    assert told["party"] == "nordvik"
    assert told["folder"] == str(stand.home)
    assert "demand_forecast" in told["kinds"]
    assert told["fingerprint"] in stand("home", "show").out


def test_partners(stand: Stand, draft: Path) -> None:
    told = stand("party", "list", "--json").json
    assert [(p["party"], p["us"]) for p in told] == [("fjordstal", False), ("nordvik", True)]
    assert "Fjordstål" in stand("party", "list").out
    document = json.loads(stand("party", "export").out)
    assert {"payload", "payloadType", "signatures"} <= set(document)


def test_a_stranger_needs_a_fingerprint(stand: Stand, draft: Path, tmp_path: Path) -> None:
    create_home(tmp_path / "s", party_id="skogtre", name="S", now=datetime.now(UTC)).close()
    (file,) = (tmp_path / "s" / "parties" / "skogtre").iterdir()
    for more in ([], ["--fingerprint", other(stand)], ["--fingerprint", "nonsense"]):
        ran = stand("party", "add", file, *more)
        assert ran.code == 4
        assert "[party.fingerprint]" in ran.err
    junk = tmp_path / "junk.json"
    junk.write_bytes(b"\xff{}")
    assert stand("party", "add", junk).code == 4


def test_agreements(stand: Stand, draft: Path) -> None:
    told = stand("agreement", "check", draft, "--json").json
    assert (told["provider"], told["consumer"]) == ("nordvik", "fjordstal")
    assert "quantity" in told["shared"]
    assert "unit_price" not in told["shared"]
    assert told["digest"] in stand("agreement", "check", draft).out
    (held,) = stand("agreement", "list", "--json").json
    assert held["signed_by"] == ["nordvik"]
    assert held["id"] in stand("agreement", "list").out
    assert stand("agreement", "show", held["id"]).out == draft.read_text(encoding="utf-8")
    before = draft.read_bytes()
    assert "unchanged" in stand("agreement", "repin", draft).out
    assert draft.read_bytes() == before


def test_an_agreement_that_is_none(stand: Stand, draft: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    for text in ("a: &x 1\n", draft.read_text(encoding="utf-8") + "more: 1\n", ""):
        wrong.write_text(text, encoding="utf-8")
        for command in ("check", "sign", "repin"):
            ran = stand("agreement", command, wrong)
            assert ran.code == 3, (command, text[:20])
            assert "refused [contract." in ran.err
    missing = stand("agreement", "show", "nothing")
    assert missing.code == AgreementRefused.exit_code == 5


def test_nothing_is_published_that_both_have_not_signed(stand: Stand, draft: Path) -> None:
    (held,) = stand("agreement", "list", "--json").json
    one = stand("publish", held["id"], "--now", NOW)
    assert one.code == 5
    assert "[agreement.one-signature]" in one.err
    ran = stand("publish", "nordvik--fjordstal.nothing", "--json")
    assert ran.code == 5
    assert json.loads(ran.err)["error"] == "agreement.missing"


def test_nothing_waits(stand: Stand) -> None:
    assert stand("receive", "--now", NOW).out == "nothing waits\n"
    told = stand("receive", "--json", "--now", NOW).json
    assert told["outcomes"] == []
    assert told["rows"] == 0


def test_what_we_saw_ourselves(
    stand: Stand, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Home.open(stand.home) as home:
        columns = home.kinds["order"].columns
    values = {"order_id": "PO-1", "line": "1", "quantity": "5", "currency": "EUR", "unit": "EA"}
    head = [c.name for c in columns] + ["partner", "recorded_at"]
    row = [sample(c.sql_type, values.get(c.name)) for c in columns]
    file = tmp_path / "orders.csv"
    file.write_text(f"{','.join(head)}\n{','.join(row)},fjordstal,2026-01-02T00:00:00Z\n")
    first = stand("observe", "order", file, "--json", "--now", NOW)
    assert first.json == {"kind": "order", "rows": 1}
    asked = stand("query", "select order_id, partner from own.order", "--json")
    assert asked.json == [{"order_id": "PO-1", "partner": "fjordstal"}]
    answer = Answer(["order_id", "line"], [("PO-1", 1)], left_out=("a--b.order",))
    monkeypatch.setattr("tillit.exchange.use.ask", lambda *_, **__: answer)
    told = stand("query", "as above", "--purpose", "billing")
    assert told.out.splitlines()[-1] == "PO-1         1"
    assert told.err == "left out: a--b.order is not agreed for billing\n"
    file.write_text("a\n1\n")
    assert stand("observe", "order", file, "--batch", "b").code == 8
    assert stand("observe", "invoice", file).code == 2


def sample(sql_type: str, given: str | None) -> str:
    if given is not None:
        return given
    first = {"VARCHAR": "x", "DATE": "2026-02-02", "BOOLEAN": "false", "TIMESTAMPTZ": NOW}
    return first.get(sql_type.partition("(")[0], "1")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("delete from landed.order", "table.query"),
        ("from postgres_query('ledger', 'select 1')", "table.closed"),
    ],
)
def test_a_question_that_is_refused(stand: Stand, sql: str, code: str) -> None:
    ran = stand("query", sql, "--json")
    assert ran.code == 8
    assert json.loads(ran.err)["error"] == code


def test_what_was_made_of_our_own_is_kept_and_written_to_a_file(
    stand: Stand, tmp_path: Path
) -> None:
    kept = stand("query", "select 1 as a union all select 2", "--into", "two", "--json").json
    assert kept == {"table": "derived.two", "rows": 2, "of_agreements": [], "left_out": []}
    assert stand("query", "select 1 as a", "--into", "two").code == 2
    again = stand("query", "select 7 as a", "--into", "two", "--replace")
    assert again.out == "derived.two: 1 row\n"
    file = tmp_path / "two.parquet"
    written = stand("export", "two", file, "--to", "fjordstal", "--json").json
    assert written == {
        "file": str(file),
        "to": "fjordstal",
        "rows": 1,
        "bytes": file.stat().st_size,
    }
    assert "[usage.exists]" in stand("export", "two", file, "--to", "fjordstal").err
    assert "[usage.not-found]" in stand("export", "three", tmp_path / "x", "--to", "fjordstal").err
    uses = stand("ledger", "list", "--json", "--type", "use").json
    assert {(e["author"], e["recipient"]) for e in uses} == {("nordvik", "nordvik")}


def test_custody_of_nothing(stand: Stand) -> None:
    assert stand("custody", "list", "--json").json == []
    assert stand("custody", "certificates", "--json").json == []
    assert stand("custody", "run", "--dry-run", "--json").json == []
    done = stand("custody", "run", "--json", "--now", NOW).json
    assert done == {"certificates": [], "rows": 0, "derived_dropped": [], "unreachable": []}
    assert stand("custody", "list").out == "nothing has to be deleted\n"
    assert "nothing is due" in stand("custody", "run", "--now", NOW).out


def test_partners_are_compared_and_a_history_is_shown(stand: Stand, tmp_path: Path) -> None:
    assert stand("trust", "compare", "--json", "--now", NOW).json == []
    for ran in (
        stand("trust", "history", "nobody", "--json", "--now", NOW),
        stand("trust", "explain", "nobody", "--json", "--now", NOW),
    ):
        assert (ran.code, json.loads(ran.err)["error"]) == (2, "usage.not-found")
    folder = history(weeks=4, items=1).write(tmp_path / "told")
    scored = stand("trust", "score", folder, "--json").json
    assert [r["relationship_id"] for r in scored["relationships"]] == ["fjordstal"]
    assert "\nfjordstal " in stand("trust", "score", folder).out
    assert "[usage.not-found]" in stand("trust", "score", tmp_path / "none").err


def test_the_record(stand: Stand, draft: Path) -> None:
    entries = stand("ledger", "list", "--json", "--type", "agreement").json
    assert [(e["author"], e["recipient"]) for e in entries] == [("nordvik", "fjordstal")]
    digest = entries[0]["digest"]
    assert digest[:12] in stand("ledger", "list").out
    statement = json.loads(stand("ledger", "show", digest[:12]).out)
    assert statement["predicate"]["author"] == "nordvik"
    envelope = json.loads(stand("ledger", "show", digest, "--envelope").out)
    assert len(envelope["signatures"]) == 2
    nothing = stand("ledger", "show", "0" * 64)
    assert nothing.code == 2
    assert "[usage.not-found]" in nothing.err
    assert stand("ledger", "verify", "--json").json["findings"] == []
    assert "everything holds" in stand("ledger", "verify").out


def test_a_record_that_does_not_hold_ends_with_nine(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tillit.ledger.fsck import Finding, Report

    found = Report(1, 1, (Finding("ledger.digest", "0" * 64, "is not what was signed"),))
    monkeypatch.setattr("tillit.exchange.audit.verify_ledger", lambda _home: found)
    ran = stand("ledger", "verify")
    assert ran.code == 9
    assert "ledger.digest: is not what was signed" in ran.out
    told = stand("ledger", "verify", "--json")
    assert told.code == 9
    assert json.loads(told.out)["findings"][0]["code"] == "ledger.digest"


def test_trust(stand: Stand, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = stand("trust", "show", "--json", "--now", NOW).json
    assert told["party"] == "nordvik"
    monkeypatch.setattr("tillit.trust.run.run_trust", lambda *_, **__: told)  # it costs seconds
    assert "a dash is not measured" in stand("trust", "show", "--now", NOW).out
    page = tmp_path / "trust.html"
    assert stand("trust", "report", "--out", page, "--now", NOW).out.strip() == str(page)
    assert "What partners share with Nordvik Motor" in page.read_text(encoding="utf-8")


def test_the_environment_of_airflow(stand: Stand) -> None:
    told = stand("airflow", "env", "--json").json
    assert told["TILLIT_HOME"] == str(stand.home)
    shell = stand("airflow", "env").out
    assert f"export TILLIT_HOME={stand.home}\n" in shell
    token = (stand.home / "airflow" / "tokens.key").read_text()
    assert token not in shell


def test_locked_keys_are_refused_by_the_command_line(stand: Stand, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    wrong.chmod(0o600)
    ran = run("--passphrase-file", wrong, "party", "rotate", home=stand.home)
    assert ran.code == 2
    assert "[key.passphrase]" in ran.err
    wrong.chmod(0o644)
    ran = run("--passphrase-file", wrong, "party", "rotate", home=stand.home)
    assert ran.code == 2
    assert "[key.mode]" in ran.err
    assert "another" not in ran.out + ran.err


def test_an_answer_that_is_asked_for_is_not_shown(stand: Stand) -> None:
    ran = CliRunner().invoke(
        cli, ["--home", str(stand.home), "party", "rotate"], input="the wrong words\n"
    )
    assert ran.exit_code != 0
    assert "passphrase" in ran.output
    assert "the wrong words" not in ran.output
    assert isinstance(ran.exception, TillitError)
    assert "the wrong words" not in str(ran.exception)


def test_new_keys(stand: Stand, draft: Path) -> None:
    before = stand("party", "list", "--json").json[1]
    ran = stand("party", "rotate")
    assert ran.code == 0
    known = len(stand.secrets)
    stand.learn()
    assert len(stand.secrets) > known
    assert not [secret for secret in stand.secrets if secret in ran.out + ran.err]
    after = stand("party", "list", "--json").json[1]
    assert (after["document"], after["key_generations"]) == (2, 2)
    assert after["fingerprint"] != before["fingerprint"]
    assert after["fingerprint"] in ran.out
    assert stand("ledger", "verify").code == 0


def test_a_demo_is_never_put_over_somebodys_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ran = run("demo", "--out", tmp_path, "--weeks", "8", "--no-airflow")
    assert ran.code == 2
    assert "[usage.exists]" in ran.err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_every_command_with_json_was_asked_for_json() -> None:
    """The tests above are read: whoever adds ``--json`` to a command adds its test."""
    asked = Path(__file__).read_text(encoding="utf-8")
    for name in WITH_JSON - {"demo"}:
        words = ", ".join(f'"{word}"' for word in name.split())
        assert re.search(rf'stand\({words},[^)]*"--json"', asked), name


# ---- tables ----------------------------------------------------------------------------------


def test_a_table_puts_numbers_to_the_right_and_says_when_there_is_nothing() -> None:
    assert table(["name", "rows"], [["a", 5], ["bcdef", None], ["c", "1,234"]]) == [
        "name    rows",
        "-----  -----",
        "a          5",
        "bcdef      -",
        "c      1,234",
    ]
    assert table(["name", "rows"], []) == ["name  rows", "----  ----"]


# ---- the life of an agreement ------------------------------------------------------------------


def test_an_agreement_is_put_on_the_table_shown_compared_and_taken_back(
    stand: Stand, draft: Path, tmp_path: Path
) -> None:
    name = "nordvik--fjordstal.order"
    file = tmp_path / "order.yaml"
    text = draft.read_text(encoding="utf-8").replace("version: 1.0.0", "version: 1.1.0", 1)
    file.write_text(re.sub(r"unit_price: withheld", "unit_price: clear   ", text), encoding="utf-8")
    said = stand("agreement", "propose", file, "--now", NOW)
    assert said.code == 0, said.err
    assert f"{name} 1.1.0: proposed, waits for the partner" in said.out

    facts = {f["version"]: f for f in stand("agreement", "list", "--now", NOW, "--json").json}
    assert facts["1.1.0"]["state"] == "proposed"
    assert facts["1.1.0"]["waits_for"] == ["fjordstal"]
    assert "proposed, waits for the partner" in stand("agreement", "list", "--now", NOW).out
    shown = stand("agreement", "show", name, "--version", "1.1.0", "--now", NOW)
    assert shown.out == file.read_text(encoding="utf-8")
    assert "nordvik proposed 1.1.0" in shown.err
    told = stand("agreement", "show", name, "--version", "1.1.0", "--now", NOW, "--json").json
    assert told["steps"][-1]["event"] == "proposed"
    assert told["text"] == shown.out

    changes = stand("agreement", "diff", draft, f"{name}@1.1.0", "--json").json
    assert [(c["at"], c["direction"]) for c in changes] == [
        ("terms.columns.unit_price", "widening")
    ]
    assert "+ widening" in stand("agreement", "diff", draft, file).out
    assert "the same" in stand("agreement", "diff", file, file).out

    for arguments, code in (
        (["propose", file], "agreement.version"),
        (["counter", file], "agreement.no-proposal"),
        (["decline", name, "--reason", "No."], "agreement.no-proposal"),
        (["sign", f"{name}@9.9.9"], "agreement.missing"),
    ):
        ran = stand("agreement", *arguments, "--now", NOW)
        assert ran.code == 5, (arguments, ran.err)
        assert f"[{code}]" in ran.err

    gone = stand("agreement", "revoke", name, "--reason", "Not now.", "--now", NOW)
    assert f"{name}: revoked" in gone.out
    states = {f["state"] for f in stand("agreement", "list", "--now", NOW, "--json").json}
    assert states == {"revoked"}
    assert "Not now." in stand("agreement", "list", "--now", NOW).out


def test_a_draft_has_us_on_one_side(stand: Stand, draft: Path) -> None:
    rest = ("--kind", "order", "--start", "2026-01-01T00:00:00Z", "--end", "2027-01-01T00:00:00Z")
    more = (*rest, "--purpose", "order-fulfilment")
    asked = stand("agreement", "new", "--provider", "fjordstal", *more, "--version", "3.0.0")
    assert "provider: fjordstal\nconsumer: nordvik\n" in asked.out
    assert "version: 3.0.0" in asked.out
    for both in ((), ("--provider", "fjordstal", "--consumer", "skogtre")):
        assert stand("agreement", "new", *both, *more).code == 2


def test_what_a_newer_contract_breaks_needs_an_amendment(
    stand: Stand, draft: Path, tmp_path: Path
) -> None:
    same = stand("agreement", "check", draft, "--was", _contract("order"))
    assert same.code == 0, same.err
    assert "nothing breaks" in same.out
    # The agreement pins an older contract, in which the order had one column more.
    older = tmp_path / "older.odcs.yaml"
    text = _contract("order").read_text(encoding="utf-8")
    extra = "      - name: colour\n        logicalType: string\n        physicalType: VARCHAR\n"
    older.write_text(text.replace("    properties:\n", f"    properties:\n{extra}", 1))
    pinned = tmp_path / "pinned.yaml"
    digest = hashlib.sha256(older.read_bytes()).hexdigest()
    pinned.write_text(
        re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{digest}", draft.read_text(encoding="utf-8"))
    )
    ran = stand("agreement", "check", pinned, "--was", older)
    assert ran.code == 5
    assert "needs an amendment: colour is removed" in ran.out
    assert "[agreement.kind-changed]" in ran.err


def _contract(kind: str) -> Path:
    return places.contracts() / "kinds" / f"{kind}.odcs.yaml"
