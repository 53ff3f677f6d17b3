"""`/graphql` as a WebSocket: who may open one, and in which protocol."""

from typing import Any

from starlette.websockets import WebSocket

from graph.context import Services
from graph.http.messages import SUBPROTOCOL, CloseCode
from graph.http.origin import welcome
from graph.http.socket import Socket


async def websocket(connection: WebSocket[Any]) -> None:
    """Serve a WebSocket of graphql-transport-ws."""
    services: Services = connection.app.state.services
    if not welcome(connection, services.settings):
        await connection.close()  # before it is accepted: 403
        return
    if SUBPROTOCOL not in connection.scope["subprotocols"]:
        # Accepted first, so that the client is told why
        await connection.accept()
        await connection.close(CloseCode.SUBPROTOCOL, "Subprotocol not acceptable")
        return
    await connection.accept(SUBPROTOCOL)
    await Socket(connection, services).run()
