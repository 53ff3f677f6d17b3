"""A connection takes so much and no more, and what is no HTTP is refused in a way that a client can read."""

import asyncio
from http import HTTPStatus

import orjson
import pytest

from graph.serving.bounds import SPARE_DESCRIPTORS, Bounds, within_descriptors
from tests.http.server import Site, answer, ended, head, running, until

BOUNDS = Bounds()


async def refused(site: Site, text: bytes) -> int:
    """The status with which `text` is refused; the connection ends with it."""
    reader, writer = await site.connect()
    writer.write(text)
    status, headers, body = await answer(reader)
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["connection"] == "close"
    assert list(orjson.loads(body)) == ["errors"]
    assert await ended(reader)
    return status


def head_of(size: int) -> bytes:
    """A head whose target, names and values are `size` bytes, in headers of at most a kilobyte."""
    fixed = len("/") + len("Host") + len("gateway.test")
    left = size - fixed
    values = []
    while left > 0:
        values.append(min(left, 1000))
        left -= 1000
    return head(**{f"X{number:03}": "v" * (value - 4) for number, value in enumerate(values)})


async def test_a_head_has_a_bound() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        writer.write(head_of(BOUNDS.head_bytes))
        assert (await answer(reader))[0] == 200
        too_large = await refused(site, head_of(BOUNDS.head_bytes + 1))
        assert too_large == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


async def test_a_header_without_an_end_is_refused() -> None:
    async with running() as site:
        text = head()[:-2] + b"x: " + b"y" * 10 * BOUNDS.head_bytes
        assert await refused(site, text) == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        reader, writer = await site.connect()
        writer.write(head()[:-2] + b"x: ")
        for _ in range(20 * BOUNDS.head_bytes // 1024):
            await writer.drain()
            writer.write(b"y" * 1024)
        assert (await answer(reader))[0] == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


async def test_headers_have_a_number() -> None:
    async with running() as site:
        many = {f"X{number}": "" for number in range(BOUNDS.headers - 1)}  # and Host
        reader, writer = await site.connect()
        writer.write(head(**many))
        assert (await answer(reader))[0] == 200
        assert await refused(site, head(**many, Y="")) == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


async def test_a_target_has_a_bound() -> None:
    async with running() as site:
        target = "/?" + "x" * (BOUNDS.target_bytes - 2)
        reader, writer = await site.connect()
        writer.write(head(target))
        assert (await answer(reader))[0] == 200
        assert await refused(site, head(target + "x")) == HTTPStatus.REQUEST_URI_TOO_LONG
        assert (
            await refused(site, b"GET /" + b"x" * 10 * BOUNDS.head_bytes) == HTTPStatus.REQUEST_URI_TOO_LONG
        )


@pytest.mark.parametrize(
    "text",
    [
        b"\0\0\0\0\r\n\r\n",
        b"hello\r\n\r\n",
        b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT gateway.test:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: minus one\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnumber\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda text: repr(text[:60]),
)
async def test_what_is_no_request_is_refused(text: bytes) -> None:
    async with running() as site:
        assert await refused(site, text) == HTTPStatus.BAD_REQUEST
        await until(lambda: site.tasks == 0)


async def test_requests_may_come_before_the_answers_to_those_before_them() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        writer.write(
            b"".join(head(method="POST", content_length=n) + bytes(n) for n in range(BOUNDS.pipelined))
        )
        assert [(await answer(reader))[2] for _ in range(BOUNDS.pipelined)] == [
            str(n).encode() for n in range(BOUNDS.pipelined)
        ]


async def test_a_crowd_of_requests_on_one_connection_is_not_taken() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        writer.write(head("/held") + head() * 10_000)
        assert await ended(reader)
        await until(lambda: site.seen.gone)
        assert site.seen.begun == ["held"]


async def test_rubbish_behind_a_request_does_not_get_into_its_answer() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        writer.write(head("/held") + b"\0\0\0\0\r\n\r\n")
        assert await ended(reader)
        await until(lambda: site.seen.gone)


async def test_a_trailer_is_no_header() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        text = head("/headers", "POST", transfer_encoding="chunked", trailer="authorization")
        writer.write(text + b"3\r\nabc\r\n0\r\nauthorization: Bearer x\r\n\r\n")
        assert (await answer(reader))[2] == b"host transfer-encoding trailer"


async def test_an_upgrade_to_something_else_is_answered_as_if_it_were_not_asked_for() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        writer.write(head(connection="upgrade", upgrade="h2c"))
        assert (await answer(reader))[0] == 200
        assert await ended(reader)


async def test_connections_have_a_number() -> None:
    async with running(Bounds(connections=3)) as site:
        for _ in range(3):
            await site.connect()
        await until(lambda: site.connections == 3)
        reader, _ = await site.connect()
        status, _, body = await answer(reader)
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert orjson.loads(body)["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
        assert await ended(reader)
        await site.disconnect()
        await until(lambda: site.connections == 0)
        reader, writer = await site.connect()
        writer.write(head())
        assert (await answer(reader))[0] == 200


def test_there_are_no_more_connections_than_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: asked.append(limits))
    for soft, hard, expected in (
        (1024, 4096, 4096 - SPARE_DESCRIPTORS),
        (1024, 1_000_000, 20_000),
        (1_000_000, -1, 20_000),
    ):
        monkeypatch.setattr("resource.getrlimit", lambda _, limits=(soft, hard): limits)
        assert within_descriptors(Bounds(connections=20_000)).connections == expected
    assert asked == [(4096, 4096), (20_000 + SPARE_DESCRIPTORS, 1_000_000)]


async def test_a_request_that_comes_in_pieces_is_whole() -> None:
    async with running() as site:
        reader, writer = await site.connect()
        for number in range(3):
            for piece in (
                head(method="POST", content_length=5)[:30],
                head(method="POST", content_length=5)[30:],
                b"ab",
                b"cde",
            ):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            assert (await answer(reader))[2] == b"5", number
