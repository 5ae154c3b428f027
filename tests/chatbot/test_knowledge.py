"""Help articles: their files, their passages, and whether questions find them (with the real encoder)."""

from __future__ import annotations

import pytest

from chatbot import knowledge
from chatbot.models import Article
from ml.understanding.artifact import ENCODER, FOLDER, load
from ml.understanding.encoder import Encoder
from tests.talk import FakeEncoder

ARTICLE = """---
slug: returns
title: Returns and refunds
intents: check_refund_policy, get_refund
---
## Sending it back
You have **30 days** to send
an item back. It must be unused. Nothing else matters here.

## Money
- The refund is paid within 5 working days.
"""


def test_an_article_is_read_and_cut_into_quotable_passages():
    article = knowledge.parse(ARTICLE, name="returns.md")
    assert article.intents == ("check_refund_policy", "get_refund")
    assert list(knowledge.passages(article.body)) == [
        "You have 30 days to send an item back. It must be unused.",
        "The refund is paid within 5 working days.",
    ]


@pytest.mark.parametrize(
    ("text", "fault"), [("no front matter", "front matter"), ("---\nslug: a\n---\nx", "lacks title")]
)
def test_a_bad_file_is_named(text, fault):
    with pytest.raises(knowledge.ArticleError, match=f"bad.md.*{fault}"):
        knowledge.parse(text, name="bad.md")


@pytest.mark.django_db
def test_loading_again_keeps_what_the_desk_has_edited(tmp_path):
    (tmp_path / "returns.md").write_text(ARTICLE)
    assert knowledge.load(FakeEncoder(), tmp_path) == 1
    Article.objects.update(body="Edited at the desk.")
    assert knowledge.load(FakeEncoder(), tmp_path) == 0
    article = Article.objects.get()
    assert article.body == "Edited at the desk."
    knowledge.index(article, FakeEncoder())
    assert [p.text for p in article.passages.all()] == ["Edited at the desk."]


@pytest.mark.django_db
def test_questions_find_their_article_and_idle_talk_finds_none():
    encoder = Encoder(FOLDER / ENCODER, load(FOLDER).tokenizer)
    knowledge.load(encoder)
    for question, intent, words in (
        ("how can I pay?", "check_payment_methods", "Visa"),
        ("how long does shipping take to France", "delivery_period", "working days"),
        ("what does it cost to cancel", "check_cancellation_fee", "free"),
        ("how many days do I have to send something back", "check_refund_policy", "30 days"),
        ("I forgot my password", "recover_password", "password"),
    ):
        found = knowledge.search(question, intent=intent, encoder=encoder)
        assert found, question
        assert words.lower() in found.text.lower(), (question, found.text)
    for idle in ("what is the capital of Peru", "sing me a song", "qwertz uiop"):
        assert knowledge.search(idle, intent="out_of_scope", encoder=encoder, limit=knowledge.NEAR) is None
