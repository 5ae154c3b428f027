"""Runs the processes of a Procfile until told to stop, and leaves none behind.

Each child dies with this process, however that ends (Linux's parent-death signal), a child that
stops is started again with growing pauses, and all of them are stopped together.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

GRACE = 12.0  # seconds a process has to finish what it is doing
LONGEST_PAUSE = 30.0
PR_SET_PDEATHSIG = 1  # prctl(2)


class ProcfileError(Exception):
    """A Procfile line cannot be used; says which."""


def read_procfile(path: Path, variables: dict[str, str]) -> dict[str, list[str]]:
    """name → command, with `$VARIABLES` filled and Python's own programs run by this interpreter."""
    commands: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not command.strip():
            raise ProcfileError(f"{path.name}, line {number}: expected `name: command`.")
        commands[name.strip()] = _with_this_python(shlex.split(Template(command).substitute(variables)))
    return commands


def _with_this_python(words: list[str]) -> list[str]:
    if words[0] == "manage.py":
        return [sys.executable, *words]
    return [sys.executable, "-m", *words]


@dataclass
class Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.5
    restart_at: float = 0.0


@dataclass
class Supervisor:
    commands: dict[str, list[str]]
    base: Path  # where they run
    folder: Path  # where their logs go
    environment: dict[str, str]
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.children = [Child(name, command) for name, command in self.commands.items()]
        for child in self.children:
            self._launch(child)

    def watch(self) -> None:
        """Until `stopping` is set: start again what has stopped."""
        while not self.stopping.wait(0.2):
            for child in self.children:
                self._look_after(child)

    def stop(self) -> None:
        """Ask every process to finish, then make it."""
        self.stopping.set()
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def has_given_up(self, name: str) -> bool:
        """True when a process stopped right after its start, so that waiting for it is vain."""
        child = next(child for child in self.children if child.name == name)
        return child.pause > 2

    def _launch(self, child: Child) -> None:
        with (self.folder / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                cwd=self.base,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches this process, which stops them in order
                preexec_fn=_die_with_parent,
            )
        child.started_at = time.monotonic()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            self.say(f"{child.name} stopped (exit {child.process.returncode}); starting it again.")
            child.pause = 0.5 if now - child.started_at > 60 else min(LONGEST_PAUSE, child.pause * 2)
            child.process, child.restart_at = None, now + child.pause
        if child.process is None and now >= child.restart_at:
            self._launch(child)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:  # the parent died in between
            os._exit(1)
