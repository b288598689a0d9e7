"""The HTTP server of a web process; it ends in good order: what is being answered is answered."""

import sys
from contextlib import suppress
from threading import Event
from types import FrameType

import uvicorn
from fastapi import FastAPI

_NOT_STARTED = 3  # as uvicorn's own command ends then; its log has said why
GRACE_S = 8  # for answers on their way; an upload that takes longer is cut off


def serve(app: FastAPI, host: str, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = DrainingServer(config, app.state.services.leaving)
    with suppress(KeyboardInterrupt):  # raised again when all is done
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)


class DrainingServer(uvicorn.Server):
    """Takes no more connections when it is to stop, and tells those who wait for jobs in it: they
    answer how the job stands, with where to ask another server for it.
    """

    def __init__(self, config: uvicorn.Config, leaving: Event) -> None:
        super().__init__(config)
        self._leaving = leaving

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._leaving.set()
        super().handle_exit(sig, frame)
