import httpx
import pytest

from models.registry import Task
from worker.messages import Request
from worker.queue import JobQueue

_REQUEST = Request(Task.MANIPULATE, "tagan-flowers-64", "yellow petals")


def test_jobs_are_listed_by_the_page(client: httpx.Client, queue: JobQueue) -> None:
    job_id = queue.submit(_REQUEST)
    other = queue.submit(_REQUEST)
    queue.cancel(other)
    first = client.get("/jobs", params={"limit": 1}).json()
    assert [job["id"] for job in first["jobs"]] == [other]
    rest = client.get("/jobs", params={"cursor": first["next"]}).json()
    assert rest == {"jobs": [client.get(f"/jobs/{job_id}").json()], "next": None}
    by_status = {
        "status": ["canceled", "failed"],
        "model": "tagan-flowers-64",
        "task": "manipulate",
    }
    assert client.get("/jobs", params=by_status).json()["jobs"] == first["jobs"]
    assert client.get("/jobs", params={"task": "generate"}).json()["jobs"] == []


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 101}, {"cursor": "first"}, {"status": "done"}, {"task": "x"}]
)
def test_a_list_that_cannot_be_is_refused(client: httpx.Client, wrong: dict[str, str]) -> None:
    assert client.get("/jobs", params=wrong).status_code == 422
