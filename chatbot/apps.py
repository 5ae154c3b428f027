from typing import Any

from django.apps import AppConfig


class ChatbotConfig(AppConfig):
    name = "chatbot"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from emails.queue import draft_changed

        draft_changed.connect(tell_desk)


def tell_desk(draft_id: int, **_: Any) -> None:
    """An email was drafted, sent or decided on: the desk reads its list again."""
    from chatbot import publish

    publish.to_desk("draft", id=draft_id)
