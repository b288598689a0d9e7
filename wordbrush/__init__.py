"""Wordbrush from a program: edit and draw pictures with words on a server that runs somewhere.

    from wordbrush import Client

    with Client("http://127.0.0.1:8000") as client:
        job = client.edit("photo.jpg", "this flower has red petals", seed=7)
        client.save(job, "red.jpg")

`AsyncClient` has the same methods, to be awaited. Needs httpx and nothing else of this project.
"""

from wordbrush.answers import Batch, BatchItem, Event, Job, JobError, Model, Output, Webhook
from wordbrush.client import Client
from wordbrush.client_async import AsyncClient
from wordbrush.errors import (
    BadAddress,
    BadAnswer,
    BadKey,
    JobCanceled,
    JobFailed,
    Refused,
    TooLong,
    Unreachable,
    WordbrushError,
)

__all__ = [
    "AsyncClient",
    "BadAddress",
    "BadAnswer",
    "BadKey",
    "Batch",
    "BatchItem",
    "Client",
    "Event",
    "Job",
    "JobCanceled",
    "JobError",
    "JobFailed",
    "Model",
    "Output",
    "Refused",
    "TooLong",
    "Unreachable",
    "Webhook",
    "WordbrushError",
]
