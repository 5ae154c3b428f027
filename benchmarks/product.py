"""The whole product as a newcomer starts it (`manage.py up`), in a folder of its own, for the tests and
benchmarks that come in through its front door."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg

BASE = Path(__file__).resolve().parent.parent
PATIENCE = 320  # seconds until it must be ready; it gives up by itself a little sooner


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_database(url: str) -> str:
    """A fresh database beside the one that DATABASE_URL names; that one is not touched."""
    parts = urlsplit(url)
    name = f"{parts.path.lstrip('/')}_product_test"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(parts._replace(path=f"/{name}"))


@dataclass
class Product:
    """`start()` waits for "ready"; `numbers` holds what it prints to try: (order number, email, what)."""

    folder: Path
    customers: int = 120
    orders: int = 300
    email_url: str = ""
    port: int = field(default_factory=free_port)
    sink_port: int = field(default_factory=free_port)
    lines: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        own = {
            "DOORSTEP_VAR": str(self.folder),
            "SINK_PORT": str(self.sink_port),
            "EMAIL_URL": self.email_url,
        }
        env = os.environ | own
        env.pop("PYTHONUNBUFFERED", None)  # as a newcomer's shell has it
        if env.get("DATABASE_URL"):
            env["DATABASE_URL"] = own_database(env["DATABASE_URL"])
        return env

    def start(self) -> Product:
        command = [sys.executable, "manage.py", "up", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--customers", str(self.customers), "--orders", str(self.orders)],
            cwd=BASE,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._read_until("Ctrl-C stops everything")
        return self

    def _read_until(self, words: str) -> None:
        assert self.process
        assert self.process.stdout
        self.lines = []
        read: queue.Queue[str] = queue.Queue()
        out = self.process.stdout

        def pump() -> None:
            for line in out:
                read.put(line)
            read.put("")  # it has closed its end

        threading.Thread(target=pump, daemon=True).start()
        while not any(words in line for line in self.lines):
            try:
                self.lines.append(read.get(timeout=PATIENCE))
            except queue.Empty:
                raise AssertionError(f"not ready: {''.join(self.lines)}{self.logs()}") from None
            if self.lines[-1] == "" or (self.process.poll() is not None and read.empty()):
                raise AssertionError(f"it stopped: {''.join(self.lines)}{self.logs()}")

    def logs(self) -> str:
        files = sorted((self.folder / "run").glob("*.log"))
        return "".join(f"\n--- {path.name}\n{path.read_text()[-1500:]}" for path in files)

    @property
    def login(self) -> tuple[str, str]:
        found = re.search(r"Desk login +(\S+) / (\S+)", "".join(self.lines))
        assert found
        return found[1], found[2]

    @property
    def examples(self) -> dict[str, tuple[str, str]]:
        """what → (order number, email)"""
        rows = re.findall(r"Try +(\S+)  (\S+)  \((.+)\)", "".join(self.lines))
        return {what: (number, email) for number, email, what in rows}

    def processes(self) -> list[psutil.Process]:
        """Every process that works in this product's folder, the services among them."""
        mine = []
        for process in psutil.process_iter(["cmdline", "environ", "cwd"]):
            # servers rewrite their title and environment, but they work in their data's folder
            words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
            words.append((process.info["environ"] or {}).get("DOORSTEP_VAR", ""))
            if any(str(self.folder) in word for word in words) and process.pid != os.getpid():
                mine.append(process)
        return mine

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(timeout=60)
