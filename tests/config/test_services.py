"""The embedded PostgreSQL and Redis: started by the first who needs them, stopped by the last."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

BASE = Path(__file__).resolve().parents[2]
HOLD = """
import json, sys
from pathlib import Path
from config import services
urls = services.acquire(Path(sys.argv[1]))
print(json.dumps([urls.database, urls.redis]), flush=True)
sys.stdin.read()
"""


class Holder:
    """A process that needs the services until its input ends."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            cwd=BASE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.urls = json.loads(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate("")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def servers(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != psutil.Process().pid
        and any(str(folder) in word for word in process.info["cmdline"] or [])
    ]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    for process in servers(tmp_path):
        process.kill()


def test_shared_by_two_and_stopped_by_the_last(folder):
    first, second = Holder(folder), Holder(folder)
    assert first.urls == second.urls
    first.leave()
    assert servers(folder)
    second.leave()
    assert servers(folder) == []


def test_a_killed_holder_does_not_count_and_data_outlives_it(folder):
    import psycopg
    import redis

    lost = Holder(folder)
    with psycopg.connect(lost.urls[0]) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE TABLE kept (a vector(2))")
        connection.execute("INSERT INTO kept VALUES ('[1,2]')")
        assert connection.execute("SHOW server_version").fetchone()[0].startswith("18")
    redis.Redis.from_url(lost.urls[1]).set("kept", "yes")
    lost.kill()
    for server in servers(folder):
        server.kill()  # the machine went down with it
    psutil.wait_procs(servers(folder), timeout=10)

    again = Holder(folder)
    with psycopg.connect(again.urls[0]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    assert redis.Redis.from_url(again.urls[1]).get("kept") == b"yes"
    again.leave()
    assert servers(folder) == []
