"""Everything that can be set from outside, read in this one place.

Each field is the environment variable `M3_` + its name in capitals; `docs/settings.md` has them in a table.
"""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "M3_"
SECRETS = Path("/run/secrets")

Network = IPv4Network | IPv6Network
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))
Seconds = Annotated[int, Field(gt=0)]
Months = Annotated[int, Field(ge=1, le=1200)]
# As browsers write it: no path, no slash at the end
Origin = Annotated[str, Field(pattern=r"^(\*|https?://[a-z0-9.\-\[\]:]+)$")]
# Roles and names that end up in SQL: what PostgreSQL takes unquoted and keeps whole.
RoleName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one line without secrets."""


class Settings(BaseSettings):
    """The gateway's settings, immutable once read; `load()` is how to get them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        default=None, description="The gateway's login, `postgresql://user:password@host:port/database`."
    )
    listen_database_url: SecretStr | None = Field(
        default=None,
        description="The gateway's login at PostgreSQL itself, if `M3_DATABASE_URL` leads to a pooler.",
    )
    owner_database_url: SecretStr | None = Field(
        default=None,
        description="The owner's login: migrations, tenants, tests. `m3 dev` uses this server if it is set.",
    )
    gateway_role: RoleName = Field(
        default="m3_gateway", description="The role whose rights the gateway's login has."
    )
    service_role: RoleName = Field(
        default="m3_service", description="The role for the other services of M3Core."
    )
    pool_size: int = Field(default=10, ge=1, le=1000, description="Connections that one process keeps.")
    statement_cache: int = Field(
        default=1000,
        ge=0,
        le=10000,
        description="Statements that a connection keeps prepared; 0 behind a PgBouncer older than 1.21.",
    )

    secrets_dir: Path = Field(
        default=SECRETS,
        description="A folder of files that are named as these variables, for those that are not set.",
    )
    data_dir: Path = Field(default=Path(".m3"), description="Where `m3 dev` keeps its database and its keys.")
    keys_file: Path = Field(
        default_factory=lambda data: data.get("data_dir", Path(".m3")) / "keys.json",
        description="Token keys and the master key; read again when it changes.",
        json_schema_extra={"default": "keys.json in the data directory"},
    )
    issuer: str = Field(default="m3core", min_length=1, description="`iss` of the access tokens.")
    audience: str = Field(default="m3core-graphql", min_length=1, description="`aud` of the access tokens.")
    access_token_ttl: Seconds = Field(
        default=600, le=86400, description="Life of an access token, in seconds."
    )
    session_ttl: Seconds = Field(
        default=2592000, description="Life of a session from its sign-in, in seconds."
    )
    password_threads: int = Field(
        default=2, ge=1, le=64, description="Passwords hashed at a time, 19 MiB and one core each."
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks, comma-separated, whose `X-Forwarded-For` is believed.",
    )
    engine: Literal["planned", "stock"] = Field(
        default="planned",
        description="What reads rows for answers: `planned` is our own engine, `stock` is graphql-core.",
    )
    get_queries: bool = Field(
        default=True, description="Whether a query may come as text in the URL of a GET."
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = Field(
        default=(),
        description="Origins, comma-separated, whose pages may call the gateway from a browser; `*` for all.",
    )
    introspection: Literal["everybody", "members", "nobody"] = Field(
        default="everybody",
        description="Who may ask for the schema; the others are not told its names in errors either.",
    )
    graphiql: bool = Field(default=True, description="Whether `GET /graphql` shows GraphiQL to a browser.")
    operation_seconds: float = Field(
        default=10,
        gt=0,
        le=600,
        description="How long a query may take, in seconds; then its statement is cancelled.",
    )
    cost_per_user: int = Field(
        default=5_000_000, ge=0, description="The cost that a user may ask for in a minute; 0 is any."
    )
    cost_per_tenant: int = Field(
        default=20_000_000, ge=0, description="The cost that a tenant may ask for in a minute; 0 is any."
    )
    cost_per_address: int = Field(
        default=50_000,
        ge=0,
        description="The cost that those who are not signed in may ask for from an address in a minute.",
    )
    rate_limit_storage: SecretStr | None = Field(
        default=None,
        description="Where processes share those costs, `redis://host:port`; unset, each has its own.",
    )
    documents: Literal["off", "allow", "require"] = Field(
        default="allow",
        description="Trusted documents: not served; served beside others; no others (`m3 documents mode` "
        "says otherwise for a tenant).",
    )
    debug: bool = Field(
        default=False, description="Whether the log has the statements and the faults in full."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where spans are sent, OTLP over HTTP, `http://collector:4318`; takes the extra `otel`.",
    )
    metrics_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=LOOPBACK,
        description="Addresses and networks, comma-separated, that may read `/metrics`.",
        json_schema_extra={"default": "127.0.0.0/8, ::1"},
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="A bearer token that may read `/metrics` from anywhere."
    )
    metrics_dir: Path | None = Field(
        default=None,
        description="A folder where the processes that share a port find each other's metrics.",
    )

    default_region: str = Field(
        default="EG", description="The country, ISO 3166, whose phone numbers may be written without a `+`."
    )

    event_retention_hours: int = Field(
        default=72, ge=1, le=8760, description="How long a feed can go on from a cursor, in hours."
    )
    audit_retention_months: Months | None = Field(
        default=None, description="Months of audit log to keep attached; unset keeps all."
    )
    webhook_retention_months: Months | None = Field(
        default=None, description="Months of integration webhook log to keep attached; unset keeps all."
    )

    @field_validator("default_region")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("no country with phone numbers has this code")
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _shared(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(
            ("redis://", "rediss://", "redis+unix://")
        ):
            raise ValueError("a URL that starts with redis://, rediss:// or redis+unix://")
        return value

    @field_validator("trusted_proxies", "metrics_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def gateway_url(self) -> str:
        """The gateway's login; `SettingsError` if it is not set."""
        return _required(self.database_url, "database_url")

    @property
    def listen_url(self) -> str:
        """The gateway's login past any pooler; `SettingsError` if neither is set."""
        return _required(self.listen_database_url or self.database_url, "database_url")

    @property
    def owner_url(self) -> str:
        """The owner's login; `SettingsError` if it is not set."""
        return _required(self.owner_database_url, "owner_database_url")


def variable(field: str) -> str:
    """The environment variable of a field of `Settings`."""
    return f"{PREFIX}{field.upper()}"


def load(**given: Any) -> Settings:
    """The settings of the environment, `given` before it; `SettingsError` names the first that is wrong.

    What the environment does not have is read from the folder of secrets: each file is named as the variable
    that it stands for, in small letters or capitals.
    """
    secrets = Path(os.environ.get(variable("secrets_dir")) or SECRETS)
    if secrets.is_dir():
        given["_secrets_dir"] = secrets
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SettingsError(
            f"{variable(str(first['loc'][0]))}: {first['msg'].removeprefix('Value error, ')}"
        ) from None


def _required(value: SecretStr | None, field: str) -> str:
    if value is None:
        raise SettingsError(f"{variable(field)} is not set")
    return value.get_secret_value()
