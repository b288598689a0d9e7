"""A queue server of a test's own, to be killed and to fall silent."""

import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from app.queue_server import find_server, write_config
from tests.processes import until
from worker.queue import JobQueue, QueueDown
from worker.settings import Settings, queue_socket


class OwnServer:
    """A queue server as `wordbrush up` starts it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{queue_socket(folder)}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on what is on its disk, and wait until it answers."""
        binary = find_server()
        command = [binary.path, write_config(binary, self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self._answers)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def fall_silent(self) -> None:
        """From now on it takes connections and answers nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(QueueDown):
            JobQueue.from_settings(Settings(redis_url=self.url, data_dir=self._folder)).ping()
            return True
        return False
