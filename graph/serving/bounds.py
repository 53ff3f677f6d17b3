"""How long and how much a connection may take, and the end; `docs/http.md` has them in a table."""

import resource
from dataclasses import dataclass, replace
from typing import Final

SPARE_DESCRIPTORS: Final = 256
"""Descriptors that are kept for the database, the log and the listening sockets."""

CLOSE_SECONDS: Final = 3
"""How long the database may take to close its connections when the server ends."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds, bytes and numbers, each for one connection but those of the process at the end."""

    head_seconds: float = 10.0
    """From opening a connection to the first byte, and from the first byte to the end of the headers."""
    body_seconds: float = 30.0
    """From the end of the headers to the end of the body."""
    idle_seconds: int = 75
    """Between two requests: longer than the minute after which load balancers let go by themselves."""
    write_seconds: float = 30.0
    """For what is written to leave the process; by then the client has stopped reading."""
    linger_seconds: float = 5.0
    """How long what a client goes on sending is thrown away when it was refused, so that it can read why."""
    target_bytes: int = 16 * 1024
    """The request target: path and query of the URL."""
    head_bytes: int = 32 * 1024
    """The target and all headers."""
    headers: int = 100
    pipelined: int = 8
    """Requests that wait for the answer to an earlier one on the same connection."""
    connections: int = 20_000
    """Connections of the process, WebSockets among them."""
    drain_seconds: int = 20
    """For what is running to end when the process is told to stop; then it is cancelled."""
    exit_seconds: float = 28.0
    """When a process ends that was told to stop, whatever is left of it."""


def within_descriptors(bounds: Bounds) -> Bounds:
    """`bounds` with no more connections than the process has descriptors for, after asking for as many."""
    wanted = bounds.connections + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return replace(bounds, connections=max(soft - SPARE_DESCRIPTORS, soft // 2))
    return bounds
