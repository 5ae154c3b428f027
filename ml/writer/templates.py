"""One plain text for every situation, used where a model's text was refused.

Of several lines the first whose slots the facts hold is taken, so the plainest stands last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.writer.rules import SLOT

_WINDOW = "between {window_start} and {window_end}, most likely {likely_day}"

_CHAT: dict[str, tuple[str, ...]] = {
    "ask_identity": (
        "To open the order I need its number and the email or postcode you ordered with. What are they?",
    ),
    "ask_proof": ("Which email or postcode did you order with? I need it to open the order.",),
    "ask_order_number": (
        "What is the order number? It is in your confirmation email, and I need it to open the order.",
    ),
    "identity_failed": (
        "I can't open an order with that pair. Could you check the order number and the email or postcode?",
    ),
    "identity_locked": (
        "That was too many tries for me to go on. A colleague can check in person: shall I pass you on?",
    ),
    "identity_ok": ("I have {order} open. What would you like to know?",),
    "which_order": ("You have {order_count} with us. Which one is it about?",),
    "no_orders": (
        "I find no orders under these details. Is there another email or postcode that you may have used?",
    ),
    "order_placed": (
        f"It should reach you {_WINDOW}. It is with us until the carrier collects it.",
        "It should reach you on {likely_day}. It is with us until the carrier collects it.",
    ),
    "order_in_transit": (
        f"It is on its way and should reach you {_WINDOW}.",
        "It is on its way and should reach you on {likely_day}.",
    ),
    "order_out_for_delivery": ("It is on the van and should be with you on {likely_day}.",),
    "order_late": (
        f"It is late: we promised {{promised_day}}, and it should now reach you {_WINDOW}. That is on us.",
        "It is late: we promised {promised_day}, and it should now reach you on {likely_day}. That is on us.",
    ),
    "order_overdue": (
        "Order {order} should be with you by now, and I can't name a day for it that I would trust. "
        "A colleague can look into it: shall I pass you on?",
    ),
    "order_delivered": (
        "It was delivered on {delivered_day}. If you can't find it, I can pass you to a colleague.",
    ),
    "order_cancelled": ("Order {order} is cancelled, so nothing will arrive for it.",),
    "order_returning": ("Order {order} is {status}. A colleague can tell you more: shall I pass you on?",),
    "order_exception": (
        "Something went wrong with {order} on the way, and a colleague has to act on it. Shall I pass "
        "you on?",
    ),
    "order_no_estimate": ("Order {order} is {status}. I can't name a day of arrival yet.",),
    "order_uncertain": (
        "Order {order} is under way, but I can't narrow its day down enough to help you plan. "
        "A colleague can look into it: shall I pass you on?",
    ),
    "cancel_confirm": (
        "Cancelling {order} would refund {amount} to {payment_method}. Shall I cancel it?",
        "Cancelling {order} would refund {amount}. Shall I cancel it?",
    ),
    "cancel_done": (
        "Order {order} is now cancelled. The refund of {amount} goes to {payment_method}.",
        "Order {order} is now cancelled.",
    ),
    "cancel_kept": ("Order {order} stays as it is.",),
    "cancel_refused": (
        "I can't cancel {order} any more. You can return it until {return_deadline}.",
        "I can't cancel {order} any more. A colleague can go through the choices with you: shall I pass "
        "you on?",
    ),
    "address_ask": ("What is the new address for {order}? Street, town and postcode, please.",),
    "address_confirm": ("Order {order} would go to {new_address}. Shall I change it?",),
    "address_done": ("Order {order} now goes to {new_address}.",),
    "address_kept": ("The address of {order} stays as it is.",),
    "address_refused": (
        "I can't change the address of {order} any more. The carrier can redirect it from {tracking_link}",
        "I can't change the address of {order} any more. A colleague can see what is left: shall I pass "
        "you on?",
    ),
    "refund_confirm": (
        "I can ask for a refund of {amount} for {order}; a colleague reviews it. Shall I send the request?",
    ),
    "refund_requested": ("The refund request for {order} is in: {amount}. A colleague reviews it next.",),
    "refund_kept": ("No refund was requested for {order}. It stays as it is.",),
    "refund_too_early": (
        "Order {order} isn't delivered yet, so there is nothing to send back. "
        "I can cancel it if that is still possible, or pass you to a colleague.",
    ),
    "refund_too_late": (
        "The return period for {order} ended on {return_deadline}. "
        "A colleague can look at it with you: shall I pass you on?",
    ),
    "refund_closed": ("There is nothing more to request for {order}: it is {status}.",),
    "refund_pending": (
        "The refund of {amount} for {order} is requested and not paid yet. A colleague reviews it.",
    ),
    "refund_paid": ("The refund of {amount} for {order} was paid on {refund_day}.",),
    "refund_none": ("No refund was requested for {order} so far. Would you like one?",),
    "email_queued": ("The timeline is on its way to {email}.",),
    "email_already": ("That email already went to {email}. Please look in the spam folder too.",),
    "email_no_address": (
        "We hold no email address for {order}. A colleague can add one: shall I pass you on?",
    ),
    "invoice_queued": ("The invoice for {order} is drafted. A colleague checks it and sends it to {email}.",),
    "policy": ("{quote}",),
    "policy_unknown": ("Our help pages don't answer that. A colleague can: shall I pass you on?",),
    "handoff_done": ("I've passed this on to a colleague, who answers you right here.",),
    "handoff_waiting": (
        "A colleague has your conversation and will answer here. I can see that you are waiting.",
    ),
    "complaint": ("That should not have happened. Shall I pass you to a colleague who can put it right?",),
    "review": ("Thank you, that goes to the people who run the shop.",),
    "greeting": ("Hello! What can I look up for you?",),
    "thanks": ("You're welcome.",),
    "goodbye": ("Goodbye, and write again whenever you like.",),
    "nothing_pending": ("I'm not sure what that refers to. What would you like to do?",),
    "clarify": ("Which one do you mean: {choice_a} or {choice_b}?",),
    "out_of_scope": (
        "That is beyond what I can do here. I can look up orders, deliveries, refunds and invoices.",
    ),
    "not_understood": ("I didn't get that. Shall I pass you to a colleague?",),
}

_TOLD: dict[str, tuple[str, ...]] = {
    "ask_identity": ("I still need the order number, and the email or postcode that goes with it.",),
    "ask_proof": ("I still need the email or postcode of the order before I can open it.",),
    "ask_order_number": ("I still need the order number. It stands in your confirmation email.",),
    "identity_failed": (
        "That pair doesn't open an order either. The number is in your confirmation email; could you "
        "compare?",
    ),
    "order_placed": (
        f"Nothing has changed: expect it {_WINDOW}.",
        "Nothing has changed: expect it on {likely_day}.",
    ),
    "order_in_transit": (
        f"It is still under way: expect it {_WINDOW}.",
        "It is still under way: expect it on {likely_day}.",
    ),
    "order_out_for_delivery": ("It is still on the van, due on {likely_day}.",),
    "order_late": (
        f"The day we promised, {{promised_day}}, no longer holds. Expect it {_WINDOW}.",
        "The day we promised, {promised_day}, no longer holds. Expect it on {likely_day}.",
    ),
    "order_overdue": ("There is no news of {order} that I could trust. Shall I pass you to a colleague?",),
    "order_delivered": ("Our records say delivered, on {delivered_day}. Shall a colleague check it?",),
    "cancel_confirm": ("Before I cancel {order} and {amount} is refunded, I need your yes. Shall I?",),
    "complaint": ("You're right to say it again. Shall I pass you to a colleague now?",),
    "greeting": ("Hello again! What is it about?",),
    "thanks": ("Any time.",),
    "not_understood": ("I still can't make sense of it. A colleague can: shall I pass you on?",),
    "handoff_waiting": ("You are still in line for a colleague, and they answer right here.",),
    "nothing_pending": ("There is no open question on my side. What can I look up?",),
    "out_of_scope": ("I can't help with that one. Orders, deliveries, refunds and invoices I can look up.",),
}


@dataclass(frozen=True, slots=True)
class MailTemplate:
    subjects: tuple[str, ...]
    preheaders: tuple[str, ...]
    bodies: tuple[str, ...]


_GREETINGS = ("Hi {first_name},", "Hello,")
_REPLY = (
    "You can answer this email if anything about it looks wrong or if your plans have changed. "
    "A person reads the answers, and has the order in front of them."
)
_TABLE = "The timeline below shows what is done, where things stand now and what comes next."

_MAIL: dict[str, MailTemplate] = {
    "mail_timeline_placed": MailTemplate(
        ("{order}: arriving {likely_day}",),
        ("Between {window_start} and {window_end}", "We are getting it ready"),
        (
            f"Your order {{order}} should reach you {_WINDOW}.\n\n"
            "It has not been handed to the carrier yet, so the day can still move a little in either "
            "direction. "
            f"{_TABLE}\n\n{_REPLY}",
            "Your order {order} should reach you on {likely_day}.\n\n"
            "It has not been handed to the carrier yet, so the day can still move a little in either "
            "direction. "
            f"{_TABLE}\n\n{_REPLY}",
        ),
    ),
    "mail_timeline_transit": MailTemplate(
        ("{order}: arriving {likely_day}",),
        ("Between {window_start} and {window_end}", "It is with the carrier and on time"),
        (
            f"Your order {{order}} is on its way and should reach you {_WINDOW}.\n\n"
            "It is with the carrier and on time, so there is nothing you need to do until then. "
            f"{_TABLE}\n\n{_REPLY}",
            "Your order {order} is on its way and should reach you on {likely_day}.\n\n"
            "It is with the carrier and on time, so there is nothing you need to do until then. "
            f"{_TABLE}\n\n{_REPLY}",
        ),
    ),
    "mail_timeline_late": MailTemplate(
        ("{order} is late: now expected {likely_day}",),
        ("Between {window_start} and {window_end}", "The new day, and what you can do"),
        (
            "Your order {order} is late. We promised {promised_day}, and it should now reach you "
            f"{_WINDOW}. That is on us.\n\n{_TABLE}\n\n"
            "If the new days don't suit you, answer this email and say what would. "
            "A person reads the answers, and can go through the choices with you.",
            "Your order {order} is late. We promised {promised_day}, and it should now reach you on "
            f"{{likely_day}}. That is on us.\n\n{_TABLE}\n\n"
            "If the new day doesn't suit you, answer this email and say what would. "
            "A person reads the answers, and can go through the choices with you.",
        ),
    ),
    "mail_timeline_overdue": MailTemplate(
        ("{order} is overdue: a colleague looks into it",),
        ("What we know, and what we don't",),
        (
            "Your order {order} should have been with you by now, and we can't name a day that we would "
            "trust. "
            "We would rather say so than guess.\n\n"
            "A colleague looks into where it is. The timeline below shows everything that the carrier "
            "has told us "
            "so far.\n\n"
            "If the parcel has turned up in the meantime, or if you would rather not wait any longer, "
            "answer this email. A person reads the answers, and can go through the choices with you.",
        ),
    ),
    "mail_timeline_delivered": MailTemplate(
        ("{order} was delivered on {delivered_day}",),
        ("What to do if you can't find it",),
        (
            "Your order {order} was delivered on {delivered_day}.\n\n"
            "The timeline below shows its whole way, from the order to the door, as the carrier recorded "
            "it.\n\n"
            "If you can't find it, look where parcels are usually left and ask around the house and next "
            "door. "
            "If it still does not turn up, answer this email: a person reads the answers, and can take "
            "it up with "
            "the carrier.",
        ),
    ),
    "mail_timeline_other": MailTemplate(
        ("{order}: where it stands now",),
        ("The timeline so far",),
        (
            "Your order {order} is {status}.\n\n"
            "We can't name a day of arrival from here, and we would rather say so than guess. The "
            "timeline below "
            f"shows what has happened so far, with the day of each step.\n\n{_REPLY}",
        ),
    ),
    "mail_delay_notice": MailTemplate(
        ("{order} will be late: now {likely_day}",),
        ("Between {window_start} and {window_end}", "The new day, and what you can do"),
        (
            "Your order {order} will be late. We promised {promised_day}, and it should now reach you "
            f"{_WINDOW}. That is on us.\n\n"
            "We are writing before you have to ask. The timeline below shows where it is and what comes "
            "next.\n\n"
            "If the new days don't suit you, answer this email and say what would. "
            "A person reads the answers, and can go through the choices with you.",
            "Your order {order} will be late. We promised {promised_day}, and it should now reach you on "
            "{likely_day}. That is on us.\n\n"
            "We are writing before you have to ask. The timeline below shows where it is and what comes "
            "next.\n\n"
            "If the new day doesn't suit you, answer this email and say what would. "
            "A person reads the answers, and can go through the choices with you.",
        ),
    ),
    "mail_cancelled": MailTemplate(
        ("{order} is cancelled",),
        ("The refund is {amount}",),
        (
            "Your order {order} is cancelled, and nothing will arrive for it. The refund is {amount}.\n\n"
            "It goes back the way you paid. How quickly it shows there depends on your bank, and we "
            "can't see that "
            "from here.\n\nIf you did not ask for this, or if you would like to order again, answer this "
            "email. "
            "A person reads the answers, and has the order in front of them.",
        ),
    ),
    "mail_refund_requested": MailTemplate(
        ("Refund request received for {order}",),
        ("The amount is {amount}",),
        (
            "We have your refund request for order {order}. The amount is {amount}.\n\n"
            "A colleague reviews it next. Nothing has been paid yet, and there is nothing else you need "
            "to send us "
            "for now.\n\n"
            "If you want to add something, such as what was wrong or a photo of it, answer this email "
            "and the "
            "colleague who reviews the request reads it with the rest.",
        ),
    ),
    "mail_invoice": MailTemplate(
        ("Your invoice for {order}",),
        ("The total is {amount}",),
        (
            "Here is the invoice for order {order}. The total is {amount}.\n\n"
            "The table below lists what you bought and what each thing cost, so that you can keep this "
            "email for "
            "your records or pass it on to whoever needs it.\n\n"
            "If a name or an address on it has to be different, answer this email and say what it should be. "
            "A person reads the answers, and has the order in front of them.",
        ),
    ),
    "mail_complaint": MailTemplate(
        ("Your complaint about {order}",),
        ("Read by a person, and what comes next",),
        (
            "You wrote to us about order {order}, and you were right to. What you describe is not how it "
            "should "
            "have gone, and that is on us.\n\n"
            "I have your message and the whole course of the order in front of me. The timeline below "
            "shows what "
            "we know of it.\n\n"
            "If something in it does not match what happened, or if you already know what would put it "
            "right, "
            "answer this email. It comes straight to me.",
        ),
    ),
}


def chat_template(situation: str, available: Iterable[str], told: bool) -> str:
    """The plain reply, with its slots still open."""
    lines = _CHAT[situation]
    return _first((*_TOLD.get(situation, ()), *lines) if told else lines, frozenset(available))


def mail_template(situation: str, available: Iterable[str]) -> tuple[str, str, str]:
    """The plain email's (body, subject, preheader), with slots still open."""
    template, slots = _MAIL[situation], frozenset(available)
    body = _first(_GREETINGS, slots) + "\n\n" + _first(template.bodies, slots)
    return body, _first(template.subjects, slots), _first(template.preheaders, slots)


def all_templates() -> list[str]:
    """Every line there is."""
    lines = [line for group in (*_CHAT.values(), *_TOLD.values()) for line in group]
    for mail in _MAIL.values():
        lines += [*mail.subjects, *mail.preheaders, *mail.bodies]
    return lines


def _first(lines: Sequence[str], slots: frozenset[str]) -> str:
    return next((line for line in lines if slots.issuperset(SLOT.findall(line))), lines[-1])
