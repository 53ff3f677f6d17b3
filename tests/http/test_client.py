"""Who is at the other end, as sockets and proxies write it."""

import pytest

from graph.auth.attempts import network
from graph.http.client import bearer, client_address, request_id
from graph.http.head import Head
from graph.settings import load

PROXY = "198.51.100.1"
NAME = "3f2a9c-edge.1"


def request(peer: str, **headers: str) -> Head:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Head({"type": "http", "headers": given, "client": (peer, 5)})


def address(peer: str, forwarded: str) -> str | None:
    settings = load(trusted_proxies=f"{PROXY}, 2001:db8:ffff::/48")
    return client_address(request(peer, x_forwarded_for=forwarded), settings)


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:4711", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        # What comes before the last hop that is not ours is anybody's to write
        (f"192.0.2.1, 203.0.113.7:1, {PROXY}:2", "203.0.113.7"),
        (f"192.0.2.1, 203.0.113.7, ::ffff:{PROXY}", "203.0.113.7"),
        ("192.0.2.1, 203.0.113.7, [2001:db8:ffff::9]:443", "203.0.113.7"),
        ("203.0.113.7,,", "203.0.113.7"),
        ("192.0.2.1, unknown", None),
        ("192.0.2.1, 203.0.113.7:x", None),
        ("192.0.2.1, []", None),
        (PROXY, PROXY),
        ("", PROXY),
    ],
)
@pytest.mark.parametrize("peer", [PROXY, f"::ffff:{PROXY}"])
def test_the_client_behind_a_proxy(peer: str, forwarded: str, expected: str | None) -> None:
    assert address(peer, forwarded) == expected


def test_of_headers_that_come_twice_lists_go_on_and_of_others_the_first_counts() -> None:
    given = [
        ("x-forwarded-for", "192.0.2.1"),
        ("authorization", "Bearer first"),
        ("x-forwarded-for", f"203.0.113.7, {PROXY}"),
        ("authorization", "Bearer second"),
        ("x-forwarded-for", PROXY),
    ]
    raw = [(name.encode(), value.encode()) for name, value in given]
    head = Head({"type": "http", "headers": raw, "client": (PROXY, 5)})
    assert client_address(head, load(trusted_proxies=PROXY)) == "203.0.113.7"
    assert client_address(head, load(trusted_proxies=f"{PROXY}, 203.0.113.7")) == "192.0.2.1"
    assert bearer(head) == "first"


def test_a_stranger_is_not_asked_who_sent_them() -> None:
    assert address("::ffff:192.0.2.7", "203.0.113.7") == "192.0.2.7"


@pytest.mark.parametrize("spelled", ["{}", "::ffff:{}", "{}:4711", "[::ffff:{}]:4711"])
def test_each_client_has_a_bucket_of_their_own(spelled: str) -> None:
    one, other = (network(address(PROXY, spelled.format(ip))) for ip in ("203.0.113.7", "192.0.2.9"))
    assert (one, other) == ("203.0.113.7", "192.0.2.9")


@pytest.mark.parametrize(("peer", "believed"), [(f"::ffff:{PROXY}", True), ("::ffff:192.0.2.7", False)])
def test_a_proxy_names_requests_however_its_address_is_written(peer: str, believed: bool) -> None:
    named = request_id(request(peer, x_request_id=NAME), load(trusted_proxies=PROXY))
    assert (named == NAME) is believed
