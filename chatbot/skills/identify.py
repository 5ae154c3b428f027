"""Finding out who is asking. Every way of not matching gets one and the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chatbot import identity
from chatbot.identity import Verdict
from chatbot.skills.base import HUMAN, WHERE, Reply, Turn
from ml.types import Understanding
from orders import lookups

SKILL = "identify"
# what a bare "DS-10023, amara@example.com" is taken to ask
DEFAULT_QUESTION = "track_order"
# "Hi, it's about DS-10023": opened, and no question yet; never an intent that the model gives
IDENTIFIED = "identified"


def ask(turn: Turn) -> Reply:
    """Ask for what is still missing, and remember what was wanted."""
    known = turn.pending if turn.pending.get("kind") == "identity" else {}
    return _ask(turn, order=known.get("order", ""), proof=known.get("proof", ""))


def opened(turn: Turn) -> Reply:
    """Say which order is open and ask what it is about."""
    return Reply(
        SKILL, "identity_ok", turn.slots(turn.focus) if turn.focus else {}, quick_replies=[WHERE, HUMAN]
    )


def identify(turn: Turn, *, needs_customer: bool) -> Turn | Reply:
    """The turn with its customer and the order it names, or the reply that asks or refuses."""
    asked = turn.pending if turn.pending.get("kind") == "identity" else {}
    number, proof = _named(turn.understanding, asked)
    if turn.customer and number:
        if order := lookups.order_of(turn.customer, number=number):
            return _resume(turn.about(order), asked)
    elif not _concerns_identity(turn, number, proof, asked, needs_customer=needs_customer):
        return turn
    number, proof = number or asked.get("order", ""), proof or asked.get("proof", "")
    if not (number and proof):
        return _ask(turn, order=number, proof=proof)
    return _prove(turn, number, proof, asked)


def _concerns_identity(
    turn: Turn, number: str, proof: str, asked: Mapping[str, Any], *, needs_customer: bool
) -> bool:
    """Whether what the message names is meant to open an order: an email alone may be a newsletter's."""
    if not number and not proof:
        return False
    if asked or needs_customer:
        return True
    return bool(number) and turn.intent in ("inform", "greeting")


def _named(said: Understanding, asked: Mapping[str, Any]) -> tuple[str, str]:
    """The order number and the proof in a message. Bare digits can be read as either: then they are
    the one that we still lack."""
    numbers = [entity for entity in said.entities if entity.kind == "order_number"]
    proofs = [entity for entity in said.entities if entity.kind in ("email", "postcode")]
    if numbers and proofs and (numbers[0].start, numbers[0].end) == (proofs[0].start, proofs[0].end):
        numbers, proofs = ([], proofs) if asked.get("order") else (numbers, [])
    emails = [entity for entity in proofs if entity.kind == "email"]
    return next((e.value for e in numbers), ""), next((e.value for e in emails or proofs), "")


def _prove(turn: Turn, number: str, proof: str, asked: Mapping[str, Any]) -> Turn | Reply:
    verdict, customer = identity.prove(conversation=turn.conversation, order_number=number, proof=proof)
    if verdict is Verdict.LOCKED:
        return Reply(SKILL, "identity_locked", quick_replies=[HUMAN])
    if verdict is Verdict.REFUSED or customer is None:
        return Reply(
            SKILL,
            "identity_failed",
            quick_replies=[HUMAN],
            pending={"kind": "identity", "then": _question(turn)},
        )
    known = replace(
        turn,
        customer=customer,
        focus=lookups.order_of(customer, number=number),
    )
    return _resume(known, asked)


def _resume(turn: Turn, asked: Mapping[str, Any]) -> Turn:
    """Go back to what the customer wanted before we asked who they are."""
    wanted = asked.get("then")
    if turn.intent == "greeting" and not wanted:
        return turn.meaning(IDENTIFIED)
    if turn.intent in ("inform", "out_of_scope", "affirm", "greeting"):
        return turn.meaning(str(wanted or DEFAULT_QUESTION))
    return turn


def _ask(turn: Turn, *, order: str, proof: str) -> Reply:
    situation = "ask_proof" if order else "ask_order_number" if proof else "ask_identity"
    pending = {"kind": "identity", "then": _question(turn)}
    if order:
        pending["order"] = order
    if proof:
        pending["proof"] = proof
    return Reply(SKILL, situation, pending=pending)


def _question(turn: Turn) -> str:
    if turn.pending.get("kind") == "identity" and turn.intent in ("inform", "out_of_scope", "affirm"):
        return str(turn.pending.get("then") or DEFAULT_QUESTION)
    return DEFAULT_QUESTION if turn.intent in ("inform", "out_of_scope", "greeting") else turn.intent
