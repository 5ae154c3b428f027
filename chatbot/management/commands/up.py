"""`manage.py up`: everything, on one machine, with one command."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from chatbot.models import Article
from config.supervisor import Supervisor, read_procfile
from orders import demo
from orders.models import Order

DESK_USER = "staff"
READY_WITHIN = 300.0  # seconds; a tenth of it on an idle machine, first start included


class Command(BaseCommand):
    help = "Start Doorstep: services, migrations, demo shop, web, chat, mail and beat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--customers", type=int, default=2000, help="size of a new demo shop")
        parser.add_argument("--orders", type=int, default=5000)

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        host, port = options["host"], options["port"]
        _refuse_taken(host, port, "--port")
        with_sink = not settings.EMAIL_URL
        if with_sink:
            _refuse_taken("127.0.0.1", settings.SINK_PORT, "SINK_PORT")
        folder = Path(settings.VAR_DIR) / "run"
        folder.mkdir(parents=True, exist_ok=True)
        pid_file = _only_one(folder)
        try:
            self._prepare(options)
            connections.close_all()
            self._run(folder, host, port, with_sink, started)
        finally:
            pid_file.unlink(missing_ok=True)

    def _say(self, text: str) -> None:
        """Shown at once, also where the output is a pipe or a file."""
        self.stdout.write(text)
        self.stdout.flush()

    def _prepare(self, options: dict[str, Any]) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        if settings.SEED_DEMO and not Order.objects.exists():
            self._say("Making a demo shop …")
            call_command("seed_demo", customers=options["customers"], orders=options["orders"])
        if not Article.objects.exists():
            self._say("Reading the help articles …")
            call_command("load_articles")
        self.login = _desk_login()

    def _run(self, folder: Path, host: str, port: int, with_sink: bool, started: float) -> None:
        for marker in folder.glob("*.ready"):
            marker.unlink()
        commands = read_procfile(settings.BASE_DIR / "Procfile", {"HOST": host, "PORT": str(port)})
        if not with_sink:
            del commands["sink"]
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            "DOORSTEP_LOCAL_URL": f"http://{_local(host)}:{port}",
            # a single estimate is too small a job to share out; idle helpers would only spin
            "OMP_NUM_THREADS": "1",
        }
        supervisor = Supervisor(commands, settings.BASE_DIR, folder, environment, self._say)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.stopping.set())
        try:
            supervisor.start()
            watcher = threading.Thread(target=supervisor.watch)
            watcher.start()
            if self._wait_until_ready(supervisor, folder, host, port):
                self._greet(host, port, with_sink, time.monotonic() - started)
            watcher.join()
        finally:
            self._say("Stopping …")
            supervisor.stop()

    def _wait_until_ready(self, supervisor: Supervisor, folder: Path, host: str, port: int) -> bool:
        deadline = time.monotonic() + READY_WITHIN
        url = f"http://{_local(host)}:{port}/healthz"
        while not supervisor.stopping.is_set():
            if (folder / "chat.ready").exists() and (folder / "mail.ready").exists() and _answers(url):
                return True
            if time.monotonic() > deadline or any(map(supervisor.has_given_up, supervisor.commands)):
                supervisor.stopping.set()
                raise CommandError(f"Doorstep did not come up. The logs are in {folder}.")
            supervisor.stopping.wait(0.1)
        return False

    def _greet(self, host: str, port: int, with_sink: bool, seconds: float) -> None:
        base = f"http://{_local(host)}:{port}"
        lines = [
            "",
            f"Doorstep is ready ({seconds:.1f} s).",
            f"  Shop with the chat   {base}/",
            f"  Desk for staff       {base}/desk/",
            f"  Desk login           {self.login}",
        ]
        if with_sink:
            lines.append(f"  Emails it sends      {base}/desk/emails/sink/")
        for example in demo.examples() if settings.SEED_DEMO else []:
            lines.append(
                f"  Try                  {example['number']}  {example['email']}  ({example['what']})"
            )
        self._say("\n".join([*lines, "", "Ctrl-C stops everything.", ""]))


def _desk_login() -> str:
    """The desk's first user, with a password made once and kept under var/."""
    users, path = get_user_model().objects, Path(settings.VAR_DIR) / "desk_password"
    if users.filter(is_staff=True).exclude(username=DESK_USER).exists():
        return "your own"
    if not path.exists() or not users.filter(username=DESK_USER).exists():
        password = secrets.token_urlsafe(12)
        path.touch(mode=0o600)
        path.write_text(password)
        user, _ = users.get_or_create(
            username=DESK_USER, defaults={"is_staff": True, "is_superuser": True, "first_name": "Sam"}
        )
        user.set_password(password)
        user.save()
    return f"{DESK_USER} / {path.read_text()}"


def _only_one(folder: Path) -> Path:
    """A second `up` in the same checkout would fight over the same data."""
    path = folder / "up.pid"
    try:
        pid = int(path.read_text())
        if pid != os.getpid() and "up" in psutil.Process(pid).cmdline():
            raise CommandError(f"Doorstep is already running here (process {pid}).")
    except (OSError, ValueError, psutil.Error):
        pass
    path.write_text(str(os.getpid()))
    return path


def _refuse_taken(host: str, port: int, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_local(host), port))
        except OSError as error:
            raise CommandError(f"Port {port} is taken by another program; choose one with {name}.") from error


def _local(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "localhost") else host


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False
