"""docker-compose.yml, as far as it can be held against this repository without an engine."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import pytest
import yaml
from tests.services.conftest import require

from tillit import __version__
from tillit.airflow.environment import HOME_VARIABLE, PASSPHRASE_VARIABLE, environment
from tillit.airflow.standalone import PARTS
from tillit.cli import cli
from tillit.config import Config, write_config
from tillit.database import Database
from tillit.errors import KeyFileError
from tillit.home import Home
from tillit.mailbox import check_address
from tillit.mailbox.ssh import Login

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
PARTIES = ("nordvik", "fjordstal")
HOME = "/var/lib/tillit"
MAILBOX = "sftp://mailbox:2222/nordvik"

TEXT = COMPOSE.read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
AIRFLOW = [name for name, service in SERVICES.items() if "TILLIT_PARTY" in service["environment"]]

# What has to differ from the settings that one machine's standalone uses: the parts are on hosts of
# their own.
DIFFERS = {
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
}


def example() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: value.strip('"') for name, value in pairs}


def of(party: str) -> dict[str, dict[str, Any]]:
    return {n: s for n, s in SERVICES.items() if s["profiles"] == [party]}


def networks(service: Mapping[str, Any]) -> set[str]:
    return set(service["networks"])


def volumes(service: Mapping[str, Any]) -> list[list[str]]:
    """Source, target and mode of each mount; a variable with its message holds colons."""
    mounts = service.get("volumes", [])
    return [re.sub(r":\?[^}]*", "", mount).split(":") for mount in mounts]


def commands() -> list[tuple[str, list[str]]]:
    """Every command of tillit and Airflow that the stacks and their documentation run."""
    found = [(name, SERVICES[name]["command"]) for name in AIRFLOW]
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    found += [("Dockerfile", json.loads(c)) for c in re.findall(r"\nCMD (\[.*\])", dockerfile)]
    script = (DOCKER / "init.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    readme = (DOCKER / "README.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"^    (.*)$", readme, re.MULTILINE))
    for where, text in (("init.sh", script), ("README.md", shown)):
        for match in re.finditer(r"(?:^|\s)(tillit [a-z].*)$", text, re.MULTILINE):
            found.append((where, shlex.split(re.sub(r"[<>|].*", "", match[1]))))
    return found


# ---- commands, paths, files ---------------------------------------------------------------------


def test_both_stacks_run_every_part_of_airflow() -> None:
    for party in PARTIES:
        parts = {name.removeprefix(f"{party}-"): s for name, s in of(party).items()}
        assert set(parts) == {"database", "init", *PARTS}
        for part, arguments in PARTS.items():
            assert parts[part]["command"] == ["airflow", *arguments]


def test_the_stacks_differ_in_nothing_but_names() -> None:
    """What is mended in one must not be forgotten in the other."""
    nordvik, fjordstal = (
        json.dumps(of(party), sort_keys=True).replace(party, "PARTY").replace(party.upper(), "P")
        for party in PARTIES
    )
    assert nordvik == fjordstal


def test_every_command_of_tillit_exists_with_its_options() -> None:
    ours = [(where, words[1:]) for where, words in commands() if words[0] == "tillit"]
    assert {"init.sh", "README.md", "Dockerfile"} == {where for where, _ in ours}
    for _, line in ours:
        if line == ["--help"]:
            continue
        command: click.Command = cli
        context = click.Context(cli, info_name="tillit", obj={"passphrase_file": None})
        rest = list(line)
        while isinstance(command, click.Group):
            found = command.get_command(context, rest.pop(0))
            assert found is not None, line
            command = found
        # Files in the image are those of the repository; others come about when it runs.
        words = [word.replace("/app/", f"{ROOT}/") for word in rest]
        arguments = ["/dev/null" if word in {"$url", "/dev/stdin"} else word for word in words]
        command.make_context(command.name, arguments, parent=context)


def test_every_command_of_airflow_exists_with_its_options(tmp_path: Path) -> None:
    lines = [words[1:] for _, words in commands() if words[0] == "airflow"]
    lines += [words[3:] for _, words in commands() if words[:3] == ["tillit", "airflow", "run"]]
    assert ["db", "migrate"] in lines
    assert ["api-server"] in lines
    code = (
        "import json, sys\n"
        "from airflow.cli.cli_parser import get_parser\n"
        "for line in json.loads(sys.argv[1]): get_parser().parse_args(line)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(lines)],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_file_that_is_named_exists() -> None:
    for service in SERVICES.values():
        for mount in volumes(service):
            if mount[0].startswith("."):
                assert (ROOT / mount[0]).is_dir(), mount
                assert mount[2] == "ro", mount
        if "build" in service:
            context = ROOT / service["build"]["context"]
            assert (context / service["build"].get("dockerfile", "Dockerfile")).is_file()
        checked = service.get("healthcheck", {}).get("test", [])
        for word in [*service.get("command", []), *checked]:
            if str(word).startswith("/app/"):
                assert (ROOT / str(word).removeprefix("/app/")).is_file(), word


@pytest.mark.parametrize("dockerfile", sorted(DOCKER.rglob("Dockerfile")), ids=str)
def test_what_an_image_is_made_of_exists_and_reaches_the_builder(dockerfile: Path) -> None:
    context = ROOT if dockerfile.parent == DOCKER else dockerfile.parent
    text = dockerfile.read_text(encoding="utf-8").replace("\\\n", " ")
    copied = [
        word
        for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE)
        for word in [w for w in line.split() if not w.startswith("--")][:-1]
    ]
    assert copied
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (context / name).exists(), name
        assert context != ROOT or f"!{name}" in let_in, name
    for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert pinned(image), image


def test_the_folders_are_mounted_where_the_code_looks_for_them() -> None:
    for name in AIRFLOW:
        mounts = {mount[1]: mount for mount in volumes(SERVICES[name])}
        for folder in ("contracts", "dags", "transforms"):
            assert mounts[f"/app/{folder}"] == [f"./{folder}", f"/app/{folder}", "ro"]
        assert mounts["/sources"][2] == "ro"
        assert mounts[HOME][0].endswith("-home")
    # Beside src/, as tillit.places has it for a checkout.
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    assert "WORKDIR /app\n" in text
    assert "COPY src ./src\n" in text
    assert " -e . " in text


# ---- what keeps the two apart -------------------------------------------------------------------


def test_the_stacks_share_nothing_but_the_mailbox() -> None:
    reach = {party: set[str]() for party in PARTIES}
    for party in PARTIES:
        others = [name for name in SERVICES if name not in of(party)]
        for service in of(party).values():
            reach[party] |= networks(service)
            reach[party] |= {m[0] for m in volumes(service) if m[0].isidentifier() or "-" in m[0]}
            reach[party] |= {secret["source"] for secret in service.get("secrets", [])}
            assert not set(service.get("depends_on", {})) & set(others)
    assert reach["nordvik"] & reach["fjordstal"] == {"mailbox"}
    assert networks(SERVICES["mailbox"]) == {"mailbox"}
    # Each network, volume and secret is somebody's, and nobody's is undeclared.
    assert set(FILE["networks"]) == {*PARTIES, "mailbox"}
    declared = {*FILE["networks"], *FILE["volumes"], *FILE["secrets"]}
    mailbox = {s["source"] for s in SERVICES["mailbox"]["secrets"]}
    assert declared == {*mailbox, *reach["nordvik"], *reach["fjordstal"]} - {""}


def test_only_what_speaks_to_the_mailbox_can_reach_it() -> None:
    reaching = {name for name in SERVICES if "mailbox" in networks(SERVICES[name])}
    tasks = {f"{party}-{part}" for party in PARTIES for part in ("scheduler", "triggerer")}
    assert reaching == {"mailbox", *tasks}
    for name in tasks:  # and nothing of theirs listens there
        assert "--skip-serve-logs" in SERVICES[name]["command"]


def test_names_that_the_settings_use_lead_to_the_own_stack() -> None:
    for party in PARTIES:
        for part in ("database", "api-server"):
            assert of(party)[f"{party}-{part}"]["networks"] == {party: {"aliases": [part]}}


def test_pages_are_on_loopback_and_databases_on_no_port_of_the_host() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert set(published) == {"nordvik-api-server", "fjordstal-api-server", "mailbox"}
    for party in PARTIES:
        assert published[f"{party}-api-server"][0].startswith("127.0.0.1:")
    assert example()["MAILBOX_LISTEN"].startswith("127.0.0.1:")


# ---- health, order, rights ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_health_check_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    if name.endswith("-init"):
        assert service["restart"] == "no"
        assert "healthcheck" not in service
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


def test_each_starts_when_what_it_needs_is_there() -> None:
    ready, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    for party in PARTIES:
        base = {f"{party}-database": ready, f"{party}-init": done}
        served = {**base, f"{party}-api-server": ready}
        needs = {
            name.removeprefix(f"{party}-"): s.get("depends_on") for name, s in of(party).items()
        }
        assert needs == {
            "database": None,
            "init": {f"{party}-database": ready},
            "api-server": base,
            "dag-processor": base,
            "scheduler": served,
            "triggerer": served,
        }


@pytest.mark.parametrize("name", SERVICES)
def test_no_more_rights_than_needed(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "mem_limit" in service
    if name in AIRFLOW:
        assert re.fullmatch(r"\$\{TILLIT_UID\b.*\}:\$\{TILLIT_GID\b.*\}", service["user"])
        assert "cap_add" not in service


def test_the_mailbox_may_mark_folders() -> None:
    """Without FSETID the kernel drops the mark, and owners cannot read what was sent to them."""
    assert "-m 2770" in (DOCKER / "mailbox" / "serve.sh").read_text(encoding="utf-8")
    assert "FSETID" in SERVICES["mailbox"]["cap_add"]


def test_only_the_tasks_and_the_init_get_the_passphrase() -> None:
    holders = {
        name
        for name, service in SERVICES.items()
        if "passphrase" in {secret["target"] for secret in service.get("secrets", [])}
    }
    assert holders == {f"{p}-{part}" for p in PARTIES for part in ("init", "scheduler")}


# ---- pins, secrets, variables -------------------------------------------------------------------


def pinned(image: str) -> bool:
    """A tag that begins with a whole version."""
    return re.search(r":\d+\.\d+(\.\d+)?(-[a-z]+)*$", image) is not None


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("postgres:18.1-bookworm", True),
        ("tillit:0.1.0", True),
        ("postgres", False),
        ("postgres:18", False),
        ("postgres:latest", False),
        ("localhost:5000/postgres", False),
    ],
)
def test_pinned_means_a_whole_version(image: str, expected: bool) -> None:
    assert pinned(image) == expected


def test_images_are_pinned_and_ours_is_this_version() -> None:
    for service in SERVICES.values():
        image = service["image"]
        assert pinned(image), image
        if image.startswith("tillit"):
            assert image.endswith(f":{__version__}")
            assert "build" in service


def test_no_secret_stands_in_the_file() -> None:
    for where in (TEXT, EXAMPLE.read_text(encoding="utf-8")):
        assert "PRIVATE KEY" not in where
        assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", where)  # a password in a URL
        assert not re.search(r"[0-9a-fA-F]{32,}|[A-Za-z0-9+/]{40,}={0,2}(?![\w/.])", where)
    suspicious = re.compile(r"PASS|SECRET|KEY|TOKEN")
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if suspicious.search(name):
                assert str(value).removeprefix("cat ").startswith(("/run/secrets/", f"{HOME}/"))
    for name, value in example().items():
        assert not suspicious.search(name) or (name, value) == ("SECRETS", "./docker/secrets")


def test_secrets_are_files_that_git_and_the_images_leave_out() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "docker/secrets/"} <= set(ignored)
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in let_in if not line.startswith("#")) == "*"
    assert not [line for line in let_in if line.startswith("!") and "secret" in line]
    for name, secret in FILE["secrets"].items():
        assert re.fullmatch(r"\$\{SECRETS:\?[^}]+\}/[a-z]+/[a-z.-]+", secret["file"]), name


def test_every_secret_that_a_setting_names_is_given() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if name == PASSPHRASE_VARIABLE or name.startswith("TILLIT_SFTP_") or "_FILE" in name:
                targets = {s["target"] for o in SERVICES.values() for s in o.get("secrets", [])}
                if str(value).startswith("/run/secrets/"):
                    assert str(value).removeprefix("/run/secrets/") in targets


def test_the_readme_makes_every_secret() -> None:
    readme = (DOCKER / "README.md").read_text(encoding="utf-8")
    for secret in FILE["secrets"].values():
        folder, name = secret["file"].split("/")[-2:]
        # Written once for whichever party, as the document writes it.
        folder = "$party" if folder in PARTIES else folder
        name = "<party>.pub" if name.removesuffix(".pub") in PARTIES else name
        assert f"docker/secrets/{folder}/{name}" in readme


def test_variables_and_their_example_are_the_same() -> None:
    used = set(re.findall(r"(?<!\$)\$\{?([A-Z_]+)", TEXT))
    assert used | {"COMPOSE_PROFILES"} == set(example())
    assert set(example()["COMPOSE_PROFILES"].split(",")) == {
        profile for service in SERVICES.values() for profile in service["profiles"]
    }
    # Each says where to look when it is missing.
    assert len(re.findall(r"\$\{[A-Z_]+\}", TEXT)) == 0


# ---- settings -----------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """What a home on a server by URL gives to Airflow, as the init service makes it."""
    url = tmp_path / "database.url"
    url.touch(0o600)
    url.write_text("postgresql://tillit:word@database:5432/postgres\n", encoding="utf-8")
    write_config(tmp_path, Config("nordvik", "N", "file:///x", database_url_file=url))
    monkeypatch.setattr(Database, "_ensure", lambda self, name: None)
    with Home.open(tmp_path) as home:
        found = json.dumps(environment(home))
    for here, there in ((str(tmp_path), HOME), (str(ROOT), "/app")):
        found = found.replace(here, there).replace(quote(here, safe=""), quote(there, safe=""))
    translated: dict[str, str] = json.loads(found)
    return translated


@pytest.mark.parametrize("name", AIRFLOW)
def test_settings_are_those_of_the_standalone(name: str, settings: Mapping[str, str]) -> None:
    given: dict[str, str] = SERVICES[name]["environment"]
    assert {k: given.get(k) for k in settings if k not in DIFFERS} == {
        k: v for k, v in settings.items() if k not in DIFFERS
    }
    ours = {k for k in given if k.startswith("TILLIT_")}
    assert set(given) - ours == set(settings) - {HOME_VARIABLE}
    assert given[PASSPHRASE_VARIABLE] == "/run/secrets/passphrase"
    assert all(isinstance(value, str) for value in given.values())  # YAML's booleans are not text


def test_the_mailbox_is_reached_with_what_is_given() -> None:
    for party in PARTIES:
        given = SERVICES[f"{party}-scheduler"]["environment"]
        login = Login.of({}, given)
        assert login.user == party
        assert str(login.key_file) == "/run/secrets/sftp-key"
        assert str(login.known_hosts) == "/run/secrets/known-hosts"
        address = check_address(example()[f"{party.upper()}_MAILBOX"])
        assert (address.scheme, address.host, address.port) == ("sftp", "mailbox", 2222)
        assert address.path == f"/{party}"
        assert party in SERVICES["mailbox"]["environment"]["MAILBOX_PARTIES"].split()
    assert SERVICES["mailbox"]["ports"][0].endswith(":2222")
    assert "\nPort 2222\n" in (DOCKER / "mailbox" / "sshd_config").read_text(encoding="utf-8")


def test_a_database_url_that_others_may_read_is_refused(tmp_path: Path) -> None:
    url = tmp_path / "database.url"
    url.write_text("postgresql://tillit:word@database/postgres", encoding="utf-8")
    url.chmod(0o644)
    write_config(tmp_path, Config("nordvik", "N", "file:///x", database_url_file=url))
    with Home.open(tmp_path) as home, pytest.raises(KeyFileError) as refused:
        home.database  # noqa: B018
    assert refused.value.code == "key.mode"


# ---- scripts ------------------------------------------------------------------------------------


def start_init(folder: Path, password: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run init.sh with a `tillit` that only notes what it was asked."""
    for part in ("bin", "secrets", "home"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "secrets" / "database-password").write_text(password, encoding="utf-8")
    noted = folder / "asked"
    noted.write_text("", encoding="utf-8")
    stub = folder / "bin" / "tillit"
    stub.write_text(
        f'#!/bin/sh\necho "$*" >>"{noted}"\n[ "$1" = airflow ] || touch "$3/config.toml"\n'
    )
    stub.chmod(0o755)
    done = subprocess.run(
        ["sh", str(DOCKER / "init.sh")],
        env={
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "TILLIT_HOME": str(folder / "home"),
            "TILLIT_SECRETS": str(folder / "secrets"),
            "TILLIT_PARTY": "nordvik",
            "TILLIT_NAME": "Nordvik Motor",
            "TILLIT_MAILBOX": MAILBOX,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, noted.read_text(encoding="utf-8").splitlines()


def test_the_home_is_made_once_and_the_tables_are_migrated_each_time(tmp_path: Path) -> None:
    done, asked = start_init(tmp_path, "first-word\n")
    assert done.returncode == 0, done.stderr
    home = tmp_path / "home"
    made = f"home init {home} --party nordvik --name Nordvik Motor --mailbox {MAILBOX}"
    assert asked == [f"{made} --database-url-file {home}/database.url", "airflow run db migrate"]
    url = home / "database.url"
    assert url.read_text() == "postgresql://tillit:first-word@database:5432/postgres\n"
    assert stat.S_IMODE(url.stat().st_mode) == 0o600
    _, asked = start_init(tmp_path, "second-word")
    assert asked == ["airflow run db migrate"]
    assert "second-word" in url.read_text()


@pytest.mark.parametrize("password", ["", "a b", "a@b", "a'b", "a/b", "a%20b", "a\nb"])
def test_a_password_that_would_change_the_url_is_refused(tmp_path: Path, password: str) -> None:
    done, asked = start_init(tmp_path, password)
    assert done.returncode == 1
    assert "password" in done.stderr
    assert asked == []


@pytest.mark.parametrize("script", sorted(DOCKER.rglob("*.sh")), ids=str)
def test_scripts_are_shell(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)


class Answers(BaseHTTPRequestHandler):
    """The health page of an api-server, as Airflow 3.3 gives it."""

    def do_GET(self) -> None:
        there = self.path == "/api/v2/monitor/health"
        self.send_response(200 if there else 404)
        self.end_headers()
        state = {"metadatabase": "healthy", "scheduler": "healthy", "triggerer": "unhealthy"}
        state["dag_processor"] = None  # type: ignore[assignment]
        self.wfile.write(json.dumps({k: {"status": v} for k, v in state.items()}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def api_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/execution/"
        server.shutdown()


@pytest.mark.parametrize(
    ("part", "dead"),
    [
        ("metadatabase", None),
        ("scheduler", None),
        ("triggerer", "triggerer is unhealthy"),
        ("dag_processor", "dag_processor is None"),
    ],
)
def test_a_part_is_healthy_when_the_api_server_says_so(
    part: str, dead: str | None, api_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("healthy", DOCKER / "healthy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", api_server)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert module.main(part) == dead


def test_each_part_asks_for_itself() -> None:
    asked = {
        name.removeprefix("nordvik-"): service["healthcheck"]["test"][-1]
        for name, service in of("nordvik").items()
        if name in AIRFLOW and "healthcheck" in service
    }
    assert asked == {
        "api-server": "metadatabase",
        "scheduler": "scheduler",
        "dag-processor": "dag_processor",
        "triggerer": "triggerer",
    }


# ---- other people's judges ----------------------------------------------------------------------


def test_it_is_a_compose_file() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    subprocess.run([check, "-q", "--builtin-schema", "vendor.compose-spec", COMPOSE], check=True)


def test_docker_compose_understands_it() -> None:
    program = require("docker-compose", "docker-compose")
    # Not the machine's own .env, and nothing of the caller's environment in its place.
    kept = {k: v for k, v in os.environ.items() if k not in example()}
    done = subprocess.run(
        [program, "--env-file", str(EXAMPLE), "-f", str(COMPOSE), "config"],
        env={**kept, "PYTHONWARNINGS": "ignore"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    understood = yaml.safe_load(done.stdout)["services"]
    assert set(understood) == set(SERVICES)
    for name, service in SERVICES.items():
        assert understood[name].get("command") == service.get("command")
        assert set(understood[name]["environment"]) == set(service["environment"])
