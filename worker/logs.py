"""Logs of web process and worker: one JSON object a line, or lines for people on a terminal. Free
of torch.

A line says which request and which job it is about (`request_id`, `job_id`) wherever that is
bound with `structlog.contextvars`. What a person wrote or sent is never logged: no caption, no
picture, no key, and of an address only its route.
"""

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

Format = Literal["auto", "json", "text"]

_QUIET = ("uvicorn.error", "uvicorn.access", "rq.worker", "httpx", "botocore", "aiobotocore")


def configure(process: str, format: Format = "auto", stream: TextIO = sys.stderr) -> None:
    """Every log line of this process goes to `stream`, from libraries too; "auto" is text on a
    terminal, else JSON. `process` is which of ours this is.
    """
    is_text = format == "text" or (format == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        _Naming(process),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(is_text, stream),
            ],
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


class _Naming:
    """Adds which process of ours a line is from."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        event["process"] = self._process
        return event


def _rendering(is_text: bool, stream: TextIO) -> list[Processor]:
    if is_text:
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
