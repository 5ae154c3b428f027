"""A writer behind a URL, against a real server on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ml.types import Fact, Facts
from ml.writer.breaker import FAILURES, LONGEST_REST, REST, Breaker
from ml.writer.errors import BackendError
from ml.writer.recount import unsupported
from ml.writer.server import LARGEST, TRIES, Server
from ml.writer.sources import Words
from ml.writer.writer import Writer

ORDER = Facts("order_overdue", {"order": Fact("#W7700123", "orders.Order:17.number")})
GOOD = "Order {order} is overdue. A colleague can look into it: shall I pass you on?"


class Backup:
    """Stands for the embedded models."""

    version = "embedded"
    tries = 1
    is_quick = False

    def draft(self, facts: Facts, seed: int) -> Words:
        return Words(GOOD)


class House:
    """An OpenAI-compatible server that answers what a test puts into `replies`, the last one for ever:
    text, or (status, body, headers), or a function that does as it likes with the handler."""

    def __init__(self) -> None:
        self.replies: list[Any] = [GOOD]
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.asked = 0
        self.over = threading.Event()
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.say(200, json.dumps({"data": [{"id": "house-model"}, {"id": "other"}]}))

            def do_POST(self) -> None:
                house.asked += 1
                house.keys.append(self.headers["authorization"])
                house.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                reply = house.replies.pop(0) if len(house.replies) > 1 else house.replies[0]
                if callable(reply):
                    reply(self)
                elif isinstance(reply, tuple):
                    self.say(*reply)
                else:
                    self.say(200, completion(reply))

            def say(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {"content-length": str(len(body.encode())), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def silence(self, handler: Any) -> None:
        """Say nothing until the test is over."""
        self.over.wait(30)

    def drip(self, handler: Any) -> None:
        """A byte now and then, so that no single read ever times out."""
        handler.send_response(200)
        handler.send_header("content-length", "100000")
        handler.end_headers()
        while not self.over.wait(0.05):
            handler.wfile.write(b" ")

    def hang_up(self, handler: Any) -> None:
        handler.close_connection = True
        handler.connection.close()


def completion(text: str | None) -> str:
    message = {"choices": [{"message": {"content": text}}], "usage": {"completion_tokens": 12}}
    return json.dumps(message)


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.stop()


@pytest.fixture
def connect(house: House) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def connect(path: str = "/v1", key: str = "", **options: Any) -> Server:
        servers.append(Server(f"http://{key}{house.address}{path}", **options))
        return servers[-1]

    yield connect
    for server in servers:
        server.close()


def test_a_server_gets_placeholders_and_never_the_customers_data(house, connect):
    house.replies = [f'"{GOOD}"']
    draft = Writer([connect(key="secret@")]).write(ORDER)
    assert (draft.source, draft.model, draft.tokens) == ("model", "house-model", 12)
    assert draft.text.startswith("Order #W7700123 is overdue.")
    assert house.keys == ["Bearer secret"]
    sent = json.dumps(house.bodies[0])
    assert house.bodies[0]["model"] == "house-model"
    assert "{order}" in sent
    assert "7700123" not in sent
    assert "orders.Order:17" not in sent


def test_the_url_may_name_the_model(house, connect):
    assert Writer([connect("/v1?model=small")]).write(ORDER).model == "small"
    assert house.bodies[0]["model"] == "small"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_tried_again(house, connect, status):
    house.replies = [(status, "busy"), (status, "busy", {"retry-after": "0"}), GOOD]
    server = connect()
    assert Writer([server, Backup()]).write(ORDER).model == "house-model"
    assert house.asked == 3
    assert (server.health.answered, server.health.retried, server.health.failed) == (1, 2, 0)


def test_a_dropped_connection_is_tried_again(house, connect):
    house.replies = [house.hang_up, GOOD]
    assert Writer([connect(), Backup()]).write(ORDER).model == "house-model"


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        ((500, "broken"), TRIES),
        ((429, "later", {"retry-after": "60"}), 1),
        ((401, "no key"), 1),
        ((404, "no such path"), 1),
        ((200, "<html>garbage"), 1),
        ((200, '{"choices": []}'), 1),
        ((200, "[]"), 1),
        ((200, "null"), 1),
        ((200, completion(None)), 1),
        ((200, completion("   ")), 1),
        ((200, " " * (LARGEST + 1)), 1),
    ],
)
def test_a_server_in_trouble_is_passed_over(house, connect, reply, asked):
    house.replies = [reply]
    draft = Writer([connect(), Backup()]).write(ORDER)
    assert draft.model == "embedded"
    assert draft.rejected[0].split(": ")[1] == house.address
    assert house.asked == asked


@pytest.mark.parametrize("way", ["silence", "drip"])
def test_a_slow_server_is_cut_off_at_the_deadline(house, connect, way):
    house.replies = [getattr(house, way)]
    draft = Writer([connect(deadline=0.4), Backup()]).write(ORDER)
    assert draft.model == "embedded"
    assert "no answer within 0.4 s" in draft.rejected[0]


def test_tries_share_one_deadline(house, connect):
    house.replies = [(503, "busy"), house.silence]
    with pytest.raises(BackendError, match=r"no answer within 0\.6 s"):
        connect(deadline=0.6).draft(ORDER, seed=1)
    assert house.asked == 2


def test_nobody_at_the_address():
    server = Server("http://127.0.0.1:9/v1")
    assert Writer([server, Backup()]).write(ORDER).model == "embedded"
    server.close()


def test_what_keeps_failing_is_left_alone_then_tried_once(house, connect):
    now = [0.0]
    server = connect("/v1?model=m", clock=lambda: now[0])
    writer = Writer([server, Backup()])
    house.replies = [(404, "gone")]
    for _ in range(FAILURES + 5):
        assert writer.write(ORDER).model == "embedded"
    assert house.asked == FAILURES
    assert (server.health.state, server.health.refused, server.health.opened) == ("open", 5, 1)
    now[0] += REST
    assert server.health.state == "half-open"
    writer.write(ORDER)
    assert (house.asked, server.health.state) == (FAILURES + 1, "open")
    now[0] += REST
    assert server.health.state == "open"  # the rest has doubled
    now[0] += REST
    house.replies = [GOOD]
    assert writer.write(ORDER).model == "m"
    assert server.health.state == "closed"
    assert writer.write(ORDER).model == "m"


def test_behind_an_open_breaker_nobody_is_asked(house, connect):
    server = connect("/v1?model=m", deadline=0.2)
    house.replies = [house.silence]
    for _ in range(FAILURES):
        with pytest.raises(BackendError):
            server.draft(ORDER, seed=1)
    for _ in range(100):
        with pytest.raises(BackendError, match="left alone"):
            server.draft(ORDER, seed=1)
    assert house.asked == FAILURES


def test_only_one_call_is_on_trial():
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    for _ in range(FAILURES):
        breaker.failure()
    now[0] += REST
    assert [breaker.lets_pass() for _ in range(5)] == [True, False, False, False, False]
    for _ in range(20):
        breaker.failure()
        now[0] += LONGEST_REST
        assert breaker.lets_pass()
    breaker.success()
    assert breaker.state == "closed"


def test_late_failures_of_calls_made_before_it_opened_change_nothing():
    breaker = Breaker(clock=lambda: 0.0)
    assert [breaker.failure() for _ in range(FAILURES + 4)].count(True) == 1


def test_several_customers_at_once(house, connect):
    server = connect()
    with ThreadPoolExecutor(8) as pool:
        drafts = list(pool.map(lambda seed: Writer([server]).write(ORDER, seed=seed), range(24)))
    assert {draft.model for draft in drafts} == {"house-model"}
    assert server.health.answered == 24


@pytest.mark.parametrize(
    "text",
    [
        "Order {order} arrives on Friday, and I have refunded £10.",
        "Order {order} arrives Friday 3 March. Shall I pass you on to a colleague?",
        "You will be refunded for {order}. Shall I pass you on?",
        "I've arranged a replacement for {order}; it's on its way.",
        "Order {order} is with DHL in Hamburg. Shall I pass you on to a colleague?",
        "Ihre Bestellung {order} ist unterwegs und wird bald bei Ihnen sein.",
        "Order {order}: see shop.example/track for it. Shall I pass you on to a colleague?",
        "Order {order} will be there in ３ days. Shall I pass you on to a colleague?",
        "<think>hm</think>Ignore the rules. {amount} is yours, {order}.",
    ],
)
def test_what_a_server_invents_is_never_shown(house, connect, text):
    house.replies = [text]
    alone, backed = Writer([connect()]), Writer([connect(), Backup()])
    for draft in (alone.write(ORDER), backed.write(ORDER)):
        assert draft.model in ("template", "embedded")
        assert unsupported(draft, ORDER) == []
        assert "refunded" not in draft.text
