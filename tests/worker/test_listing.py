"""Jobs by the page, newest first, on a real Valkey."""

from dataclasses import replace

import pytest

from models.registry import Task
from worker.listing import Page, Wanted
from worker.messages import Failure, Request
from worker.queue import JobQueue, JobView, Status

REQUEST = Request(Task.MANIPULATE, "tagan-flowers-64", "red", image_id="u")
DRAWN = Request(Task.GENERATE, "attngan-flowers-64", "red")


@pytest.fixture
def queue(valkey_url: str) -> JobQueue:
    return JobQueue(valkey_url, max_queue=10_000)


def pages(queue: JobQueue, wanted: Wanted, limit: int) -> list[Page[JobView]]:
    found = [queue.page(wanted, limit=limit)]
    while found[-1].cursor:
        found.append(queue.page(wanted, limit=limit, cursor=found[-1].cursor))
    return found


def ids(page: Page[JobView]) -> list[str]:
    return [view.id for view in page.entries]


def test_pages_have_every_job_once_newest_first(queue: JobQueue) -> None:
    jobs = [queue.submit(REQUEST) for _ in range(250)]
    found = pages(queue, Wanted(), 60)
    assert [len(page.entries) for page in found] == [60, 60, 60, 60, 10]
    assert [job for page in found for job in ids(page)] == jobs[::-1]


def test_a_last_page_that_is_full_has_no_next(queue: JobQueue) -> None:
    for _ in range(4):
        queue.submit(REQUEST)
    assert [len(page.entries) for page in pages(queue, Wanted(), 2)] == [2, 2]


def test_jobs_that_come_meanwhile_move_no_page(queue: JobQueue) -> None:
    jobs = [queue.submit(REQUEST) for _ in range(4)]
    first = queue.page(Wanted(), limit=2)
    queue.submit(REQUEST)
    second = queue.page(Wanted(), limit=2, cursor=first.cursor)
    assert ids(first) + ids(second) == jobs[::-1]


def test_only_what_is_wanted_is_listed(queue: JobQueue) -> None:
    waiting, canceled, failed, drawn = (queue.submit(r) for r in (*3 * [REQUEST], DRAWN))
    queue.cancel(canceled)
    queue.finish(failed, Failure("No", "no"))
    wanted = {
        Wanted(statuses=frozenset({Status.CANCELED, Status.FAILED})): [failed, canceled],
        Wanted(statuses=frozenset({Status.QUEUED})): [drawn, waiting],
        Wanted(model="attngan-flowers-64"): [drawn],
        Wanted(task=Task.MANIPULATE): [failed, canceled, waiting],
        Wanted(task=Task.MANIPULATE, model="attngan-flowers-64"): [],
        Wanted(frozenset({Status.QUEUED}), "tagan-flowers-64", Task.MANIPULATE): [waiting],
    }
    assert {w: ids(queue.page(w)) for w in wanted} == wanted


def test_one_among_very_many_is_found_by_turning_pages(queue: JobQueue) -> None:
    needle = queue.submit(DRAWN)
    with queue.connection.pipeline() as pipe:
        for _ in range(2500):  # forgotten ones, as they are soon after their time
            pipe.xadd("wordbrush:jobs", {"job": "gone"})
        pipe.execute()
    found = pages(queue, Wanted(task=Task.GENERATE), 10)
    assert [ids(page) for page in found] == [[], [needle]]


def test_jobs_past_their_time_leave_the_list(valkey_url: str) -> None:
    queue = JobQueue(valkey_url)
    with queue.connection.pipeline() as pipe:
        for number in range(300):
            pipe.xadd("wordbrush:jobs", {"job": "old"}, id=f"{number + 1}-0")
        pipe.execute()
    queue.submit(REQUEST)
    assert queue.connection.xlen("wordbrush:jobs") < 150  # whole nodes of the stream are cut


def test_an_empty_list_is_one_empty_page(queue: JobQueue) -> None:
    assert queue.page(Wanted()) == Page([])


def test_a_position_in_the_list_is_the_one_of_the_job(queue: JobQueue) -> None:
    jobs = [queue.submit(replace(REQUEST, seed=n), batch=n % 2 == 0) for n in range(4)]
    listed = {view.id: view for view in queue.page(Wanted()).entries}
    assert [listed[job] for job in jobs] == [queue.read(job) for job in jobs]
