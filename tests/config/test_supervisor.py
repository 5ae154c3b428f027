"""The supervisor: starts, restarts, stops, and is outlived by nobody."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from config.supervisor import ProcfileError, Supervisor, read_procfile


def test_a_procfile_becomes_commands_of_this_python(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("# processes\n\nweb: uvicorn app --port $PORT\nsink: manage.py sink\n")
    assert read_procfile(path, {"PORT": "9"}) == {
        "web": [sys.executable, "-m", "uvicorn", "app", "--port", "9"],
        "sink": [sys.executable, "manage.py", "sink"],
    }


def test_a_bad_line_is_named(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("web: uvicorn\nnonsense\n")
    with pytest.raises(ProcfileError, match="line 2"):
        read_procfile(path, {})


def test_what_stops_is_started_again_and_all_are_stopped_together(tmp_path):
    code = "import pathlib, os, time; pathlib.Path(f'pid-{os.getpid()}').touch(); time.sleep(600)"
    said = threading.Event()
    supervisor = Supervisor(
        {"worker": [sys.executable, "-c", code]}, tmp_path, tmp_path, dict(os.environ), lambda _: said.set()
    )
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    first = supervisor.children[0].process
    assert first
    first.kill()
    assert said.wait(10)
    deadline = time.monotonic() + 20
    while not (supervisor.children[0].process and supervisor.children[0].process is not first):
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    second = supervisor.children[0].process
    supervisor.stop()
    watcher.join()
    assert second
    assert second.poll() is not None
    assert not supervisor.has_given_up("worker")
