"""`docker/`, read without an engine: settings that exist, commands that there are, no secret, nobody root."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
import yaml

from db.scope import SERVER_SETTINGS
from graph.cli import app as cli
from graph.http import probes
from graph.settings import Settings, variable

DOCKER: Final = Path(__file__).parents[2] / "docker"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = sorted(name for name, service in SERVICES.items() if service["image"] == "m3core-gateway")
GATEWAYS: Final = ("gateway-1", "gateway-2")
VARIABLES: Final = {variable(field) for field in Settings.model_fields}
STAGES: Final = re.split(r"(?m)^FROM ", (DOCKER / "Dockerfile").read_text())[1:]


def environment(service: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def secrets(service: dict[str, Any]) -> list[str]:
    return list(service.get("secrets", []))


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_what_is_a_setting(name: str) -> None:
    service = SERVICES[name]
    given: dict[str, Any] = environment(service)
    # A secret whose name is a variable's is read as that variable, from /run/secrets
    read = {secret.upper() for secret in secrets(service)}
    assert given.keys() | read <= VARIABLES
    Settings(**{name.removeprefix("M3_").lower(): value for name, value in given.items()})


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_has_what_it_needs_to_serve(name: str) -> None:
    service = SERVICES[name]
    assert {"m3_database_url", "m3_listen_database_url"} <= set(secrets(service))
    assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert service["stop_grace_period"] == "30s"
    assert "command" not in service  # the image's own, `m3 serve`


def test_the_gateways_count_together_and_can() -> None:
    urls = {environment(SERVICES[name])["M3_RATE_LIMIT_STORAGE"] for name in GATEWAYS}
    assert urls == {"redis://redis:6379"}
    for name in GATEWAYS:
        assert SERVICES[name]["depends_on"]["redis"]["condition"] == "service_healthy"
        assert set(SERVICES[name]["networks"]) & set(SERVICES["redis"]["networks"])
    (extras,) = re.findall(r"whl\)\[([\w,]+)\]", STAGES[0])
    assert set(extras.split(",")) == {"otel", "redis"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_there_is(name: str) -> None:
    command = SERVICES[name].get("command") or ["serve"]
    if "entrypoint" in SERVICES[name]:
        command = shlex.split(SERVICES[name]["entrypoint"][-1].rpartition("exec m3 ")[2])
    _resolve(command)


def test_the_image_runs_a_command_that_there_is() -> None:
    (gateway,) = (stage for stage in STAGES if stage.splitlines()[0].endswith(" AS gateway"))
    assert 'ENTRYPOINT ["m3"]' in gateway
    found = re.search(r'(?m)^CMD \["(\w+)"\]', gateway)
    assert found is not None
    _resolve([found[1]])


def _resolve(words: list[str]) -> None:
    command: Any = typer.main.get_command(cli)
    for word in words:
        assert word in command.commands
        command = command.commands[word]
    assert not hasattr(command, "commands")


def test_what_is_run_is_not_root_and_sets_what_is_a_setting() -> None:
    names = [stage.splitlines()[0].rpartition(" AS ")[2] for stage in STAGES]
    assert names == ["build", "gateway", "pgbouncer"]
    for stage in STAGES[1:]:
        users = re.findall(r"(?m)^USER (.+)$", stage)
        assert users
        assert users[-1] in ("10001", "postgres")
    assert set(re.findall(r"\bM3_\w+", "".join(STAGES))) <= VARIABLES


def test_what_is_asked_for_health_is_answered() -> None:
    paths = {route.path for route in probes.ROUTES}
    asked = re.findall(r":\S+?(/\w+)'", "".join(STAGES))
    asked += [
        path for name in GATEWAYS for path in re.findall(r"8000(/\w+)'", str(SERVICES[name]["healthcheck"]))
    ]
    assert set(asked) == {"/healthz", "/readyz"}
    assert set(asked) <= paths


def test_the_image_is_built_of_files_that_are_there_and_that_the_build_may_see() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", "".join(STAGES)):
        *sources, _ = [word for word in line.split() if not word.startswith("--")]
        for source in sources:
            assert (DOCKER.parent / source).exists(), source
            assert f"!{source}" in ignored, source


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_confined_and_limited(name: str) -> None:
    service = SERVICES[name]
    if name != "postgres":  # whose entry point sets up its data directory as root
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    if service["restart"] != "no":
        assert service["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (DOCKER / source).exists()


def test_every_secret_is_a_file_that_is_made_and_not_kept(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_text((DOCKER / "secrets.sh").read_text())
    made = [_made(script) for _ in range(2)]
    assert made[0] == made[1]  # run again, it leaves what there is
    assert made[0].keys() == COMPOSE["secrets"].keys()
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    used = {secret for service in SERVICES.values() for secret in secrets(service)}
    assert used == made[0].keys()
    assert len(made[0]["owner_password"]) == 48
    assert made[0]["owner_password"] != made[0]["gateway_password"]
    assert made[0]["gateway_password"] in made[0]["m3_database_url"]
    assert "@pgbouncer:6432/" in made[0]["m3_database_url"]
    assert "@postgres:5432/" in made[0]["m3_listen_database_url"]
    assert "docker/secrets/" in (DOCKER.parent / ".gitignore").read_text().split()


def _made(script: Path) -> dict[str, str]:
    subprocess.run(["sh", script], check=True)
    return {path.name: path.read_text() for path in (script.parent / "secrets").iterdir()}


def test_no_secret_is_in_the_repository() -> None:
    for path in (path for path in DOCKER.rglob("*") if path.is_file() and path.parent.name != "secrets"):
        for url in re.findall(r"postgresql://\S+", path.read_text()):
            assert re.match(r"postgresql://m3_\w+:\$\w+@", url), path
    for service in SERVICES.values():
        for name in environment(service):
            assert not re.search(r"PASSWORD(?!_FILE)|TOKEN|_URL", name)


def test_a_pooled_connection_has_the_settings_that_a_gateway_asks_for() -> None:
    roles = (DOCKER / "roles.sql").read_text()
    found = dict(re.findall(r"ALTER ROLE m3_gateway SET (\w+) = '([^']+)';", roles))
    asked = {name: value for name, value in SERVER_SETTINGS.items() if name != "application_name"}
    assert found == asked
    pgbouncer = (DOCKER / "pgbouncer.ini").read_text()
    ignored = re.search(r"(?m)^ignore_startup_parameters = (.+)$", pgbouncer)
    assert ignored is not None
    # These two PgBouncer hands on
    assert asked.keys() - {"timezone"} <= set(ignored[1].split(","))


def test_the_pools_fit_into_each_other() -> None:
    pgbouncer = (DOCKER / "pgbouncer.ini").read_text()
    pooled = int(re.search(r"(?m)^default_pool_size = (\d+)$", pgbouncer)[1])  # type: ignore[index]  # there is one
    server = int(re.search(r"max_connections=(\d+)", str(SERVICES["postgres"]["command"]))[1])  # type: ignore[index]  # as above
    # Two pools in each gateway, and the connection that listens
    wanted = [2 * int(environment(SERVICES[name])["M3_POOL_SIZE"]) for name in GATEWAYS]
    assert sum(wanted) <= pooled
    assert pooled + len(GATEWAYS) + 10 <= server
