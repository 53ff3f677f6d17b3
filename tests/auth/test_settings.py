"""Settings: read from M3_*, refused in one line, and all in the table of docs/settings.md."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr

from graph import settings
from graph.settings import Settings, SettingsError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(settings.variable(field), raising=False)


def row(name: str) -> str:
    """The row of `docs/settings.md` that a field stands for."""
    field = Settings.model_fields[name]
    default = getattr(Settings(), name)
    if isinstance(field.json_schema_extra, dict):
        default = field.json_schema_extra["default"]
    elif default is None or default == ():
        default = "unset"
    elif isinstance(default, bool):
        default = str(default).lower()
    return f"| `{settings.variable(name)}` | {default} | {field.description} |"


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    table = re.findall(r"^\| `M3_.*$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    assert table == [row(name) for name in Settings.model_fields]


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M3_DATABASE_URL", "postgresql://gate:secret@db/m3")
    monkeypatch.setenv("M3_DATA_DIR", "elsewhere")
    monkeypatch.setenv("M3_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    monkeypatch.setenv("M3_PORT", "")
    found = settings.load()
    assert found.gateway_url == "postgresql://gate:secret@db/m3"
    assert found.keys_file == Path("elsewhere/keys.json")
    assert found.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
    assert found.port == 8000
    assert settings.load(port=9).port == 9


def test_secrets_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m3_database_url").write_text("postgresql://gate:from-a-file@db/m3\n")
    (tmp_path / "M3_METRICS_TOKEN").write_text("sesame")
    (tmp_path / "m3_port").write_text("9000")
    monkeypatch.setenv("M3_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("M3_PORT", "9001")
    found = settings.load()
    assert found.gateway_url == "postgresql://gate:from-a-file@db/m3"
    assert found.metrics_token == SecretStr("sesame")
    assert found.port == 9001
    assert "from-a-file" not in repr(found)


def test_secrets_are_not_printed() -> None:
    found = Settings(database_url=SecretStr("postgresql://gate:hidden@db/m3"))
    assert "hidden" not in repr(found)
    assert "hidden" not in str(found.model_dump())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("M3_PORT", "http"),
        ("M3_PORT", "65536"),
        ("M3_POOL_SIZE", "0"),
        ("M3_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("M3_GATEWAY_ROLE", 'm3"; DROP TABLE users; --'),
        ("M3_ACCESS_TOKEN_TTL", "-1"),
        ("M3_LOG_LEVEL", "loud"),
        ("M3_AUDIT_RETENTION_MONTHS", "never"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: [^\n]+$"):
        settings.load()


def test_a_login_that_is_needed_is_named_when_unset() -> None:
    with pytest.raises(SettingsError, match=r"^M3_DATABASE_URL is not set$"):
        _ = Settings().gateway_url
    with pytest.raises(SettingsError, match=r"^M3_OWNER_DATABASE_URL is not set$"):
        _ = Settings().owner_url
