"""How the server ends: what is open is told first, so that its clients are not cut off in the middle."""

import socket

import uvicorn
from starlette.applications import Starlette

from graph.context import Services


class DrainingServer(uvicorn.Server):
    """Serves `app`; told to stop, it lets sockets and event streams end before connections are closed."""

    def __init__(self, app: Starlette, config: uvicorn.Config, seconds: float) -> None:
        super().__init__(config)
        self.app, self._seconds = app, seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, drain what is open, close the rest."""
        for server in self.servers:
            server.close()
        services: Services = self.app.state.services
        await services.live.drain(self._seconds)
        await super().shutdown(sockets)
