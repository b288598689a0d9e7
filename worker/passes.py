"""How many of a batch's pictures go through the network together. Free of torch.

More together go faster, up to a point; but a person who comes meanwhile waits for the pass in hand.
So a pass of a quick model grows until it takes about as long as nobody notices.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from statistics import median

from models.registry import Task
from worker.messages import Request

FEW = 8  # together they go nearly as fast as they can, however slow the network is
_UNNOTICED_S = 0.1  # of waiting; Nielsen, Usability Engineering, 1993, chapter 5.5
_LATELY = 5  # passes that count; half of them must have changed before the size does


def beside(
    first: Request, others: Sequence[Request | None], *, most: int, workers: int
) -> list[int]:
    """Which of `others`, in their order, go through the network together with `first`: for the same
    model and task, up to a worker's fair share of what waits and `most` pictures in all.
    """
    share = ceil((1 + len(others)) / max(1, workers)) - 1
    room, taken = most - first.pictures, list[int]()
    for number, request in enumerate(others):
        if request is None or (request.model, request.task) != (first.model, first.task):
            continue
        if len(taken) < share and request.pictures <= room:
            taken.append(number)
            room -= request.pictures
    return taken


class PassSizes:
    """Learns from each pass how large the next of its kind should be; for one thread."""

    def __init__(self, most: int) -> None:
        """`most` pictures go together, whatever they take."""
        self._most = most
        self._each_s: dict[tuple[str, Task], deque[float]] = {}

    def of(self, request: Request) -> int:
        """Pictures in a pass of requests like this one."""
        lately = self._each_s.get((request.model, request.task))
        unnoticed = int(_UNNOTICED_S / median(lately)) if lately else 0
        return min(self._most, max(FEW, unnoticed))

    def note(self, requests: Sequence[Request], seconds: float) -> None:
        """A pass of these took so long, photos opened, which counts too: they are in memory, so
        that few large ones go together.
        """
        kind = requests[0].model, requests[0].task
        each_s = seconds / sum(request.pictures for request in requests)
        self._each_s.setdefault(kind, deque(maxlen=_LATELY)).append(each_s)


def passes(requests: Mapping[int, Request], most: Callable[[Request], int]) -> Iterator[list[int]]:
    """Numbers of requests that go through a network together: of one task, in order.

    `most` is asked before each pass how many pictures it may have, since passes are drawn as they
    come; a request for more goes alone.
    """
    kinds: dict[Task, list[int]] = {}
    for number, request in requests.items():
        kinds.setdefault(request.task, []).append(number)
    for numbers in kinds.values():
        waiting = deque(numbers)
        while waiting:
            together = [waiting.popleft()]
            first = requests[together[0]]
            room = most(first) - first.pictures
            while waiting and requests[waiting[0]].pictures <= room:
                together.append(waiting.popleft())
                room -= requests[together[-1]].pictures
            yield together
