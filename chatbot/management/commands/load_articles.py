"""`manage.py load_articles`: store the shipped help articles that are not there yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from chatbot import knowledge
from chatbot.assistant import understander


class Command(BaseCommand):
    help = "Store and index the help articles of chatbot/knowledge_base that are not in the database yet."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{knowledge.load(understander().encoder)} articles stored.")
