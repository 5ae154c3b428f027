"""`manage.py chat`: the same brain as the widget's, in a terminal."""

from __future__ import annotations

import json
import sys
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot import dialogue, identity
from chatbot.assistant import Assistant, assistant
from chatbot.identity import Verdict
from chatbot.models import Conversation, Message
from chatbot.protocol import Said, clean
from ml.types import Known
from ml.understanding.entities import find


class Command(BaseCommand):
    help = (
        "Talk to the assistant. With --json, reads lines of {conversation, text} and prints a line a reply."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="prove who is asking (needs --order)")
        parser.add_argument("--order", metavar="NUMBER", help="the order number that goes with the email")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["email"]) != bool(options["order"]):
            raise CommandError("--as and --order belong together: they prove who is asking.")
        self.pair = (options["order"], options["email"]) if options["order"] else None
        self.conversations: dict[str, Conversation] = {}
        helper = assistant()
        if options["json"]:
            self._lines(helper)
        else:
            self._talk(helper)

    def _lines(self, helper: Assistant) -> None:
        for number, line in enumerate(sys.stdin, 1):
            if not line.strip():
                continue
            try:
                name, text = _parse(line)
            except ValueError as error:
                self.stdout.write(json.dumps({"line": number, "error": str(error)}))
                self.stdout.flush()
                continue
            for reply in self._say(name, text, helper):
                self.stdout.write(json.dumps(as_json(name, reply), ensure_ascii=False))
            self.stdout.flush()

    def _talk(self, helper: Assistant) -> None:
        self.stdout.write("Type a message, or an empty line to leave.")
        while text := clean(input("you  > ")):
            for reply in self._say("terminal", text, helper):
                self.stdout.write(f"desk > {reply.text}")
                if reply.quick_replies:
                    self.stdout.write("       [" + "] [".join(b["text"] for b in reply.quick_replies) + "]")

    def _say(self, name: str, text: str, helper: Assistant) -> list[Message]:
        conversation = self.conversations.get(name) or self._start(name)
        dialogue.record(conversation_id=conversation.pk, said=Said(uuid4().hex, text, ""))
        return dialogue.answer(conversation.pk, assistant=helper)

    def _start(self, name: str) -> Conversation:
        conversation = self.conversations[name] = dialogue.start(page="terminal")
        if self.pair:
            number, email = self.pair
            verdict, _ = identity.prove(conversation=conversation, order_number=number, proof=email)
            if verdict is not Verdict.OPENED:
                raise CommandError("This order number and email don't belong together.")
        return conversation


def _parse(line: str) -> tuple[str, str]:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise ValueError("This line is not JSON.") from error
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise ValueError('A line needs {"conversation": …, "text": …}.')
    text = clean(data["text"])
    if not text:
        raise ValueError("There was no text in that message.")
    return str(data.get("conversation", "")), text


def as_json(name: str, reply: Message) -> dict[str, Any]:
    """One reply as outside scripts read it."""
    trace = reply.trace
    return {
        "conversation": name,
        "intent": trace["intent"],
        "confidence": trace["confidence"],
        "entities": [_open(entity, reply) for entity in trace["entities"]],
        "sentiment": trace["sentiment"],
        "skill": trace["skill"],
        "situation": trace["situation"],
        "facts": _facts([*trace.get("parts", ()), trace]),
        "reply": reply.text,
        "source": trace["source"],
        "ms": trace["ms"],
    }


def _facts(parts: list[dict[str, Any]]) -> dict[str, str]:
    """What was filled in. A slot that a second part fills otherwise is numbered: "order_2"."""
    told: dict[str, str] = {}
    for place, part in enumerate(parts, 1):
        for slot, fact in part["facts"].items():
            same = told.setdefault(slot, fact["display"]) == fact["display"]
            if not same:
                told[f"{slot}_{place}"] = fact["display"]
    return told


def _open(entity: dict[str, Any], reply: Message) -> dict[str, Any]:
    """What a trace masks, read again from the message for whoever has just typed it."""
    if "start" not in entity or reply.reply_to is None:
        return entity
    text = reply.reply_to.text[entity["start"] : entity["end"]]
    customer = reply.conversation.customer
    found = find(
        text,
        order_patterns=settings.ORDER_PATTERNS,
        pending="identity",
        known=Known(country=customer.country if customer else ""),
    )
    value = next((other.value for other in found if other.kind == entity["kind"]), text)
    return {"kind": entity["kind"], "value": value, "text": text}
