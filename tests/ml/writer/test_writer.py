from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from ml.types import Fact, Facts
from ml.writer.corpus.compose import Request
from ml.writer.embedded import EmbeddedModel
from ml.writer.errors import BackendError
from ml.writer.evaluate import evaluate
from ml.writer.examples import sample_facts
from ml.writer.grounding import FactsError, check
from ml.writer.hf_export import HubFolder, export_folder
from ml.writer.local import LocalModel
from ml.writer.manner import echoed
from ml.writer.prompts import messages, read_answer
from ml.writer.recount import unsupported
from ml.writer.rules import SLOT, sentences
from ml.writer.sources import Words
from ml.writer.themes import THEMES
from ml.writer.writer import ModelMissing, Writer, load_writer
from tests.ml.writer import tiny

ARTIFACTS = Path(__file__).resolve().parents[3] / "ml" / "artifacts"
CHAT, MAIL = ARTIFACTS / "writer-chat.gguf", ARTIFACTS / "writer-mail.gguf"
ORDER = Facts("order_overdue", {"order": Fact("#W2611340", "orders.Order:17.number")})
GOOD = "Order {order} is overdue. A colleague can look into it: shall I pass you on?"


class Scripted:
    """A source that says its lines one after the other."""

    version = "scripted"
    tries = 2
    is_quick = False

    def __init__(self, *lines: str | BackendError) -> None:
        self.lines = list(lines)

    def draft(self, facts: Facts, seed: int) -> Words:
        line = self.lines.pop(0)
        if isinstance(line, BackendError):
            raise line
        return Words(line, tokens=9)


@pytest.fixture(scope="module")
def shipped() -> Writer:
    return Writer.load(CHAT, MAIL)


def test_no_sentence_of_a_reply_echoes_another(shipped):
    prone = {"handoff_waiting", "order_exception", "identity_failed", "complaint", "policy_unknown"}
    asked = [facts for facts in sample_facts("chat", 1500, seed=11) if facts.situation in prone]
    assert len(asked) > 100
    for seed, facts in enumerate(asked):
        found: list[tuple[str, ...]] = []
        said = shipped.write(facts, seed=seed).delexicalised
        for sentence in sentences(said):
            found += echoed(sentence)
        assert len(found) == len(set(found)), found
        assert said.lower().count("sorry") <= 1, said


def test_a_draft_that_passes_is_filled_and_says_who_wrote_it():
    draft = Writer([Scripted(GOOD)]).write(ORDER)
    assert draft.text.startswith("Order #W2611340 is overdue.")
    assert (draft.source, draft.model, draft.rejected, draft.tokens) == ("model", "scripted", (), 9)


def test_a_refused_draft_is_tried_again():
    writer = Writer([Scripted("It comes tomorrow.", GOOD)])
    draft = writer.write(ORDER)
    assert draft.source == "model"
    assert any("tomorrow" in reason for reason in draft.rejected)
    assert writer.counts == {
        "model": 1,
        "rejected: relative day": 1,
        "rejected: required {order} is not told": 1,
    }


def test_two_refused_drafts_end_in_the_template():
    writer = Writer([Scripted("It comes tomorrow.", "I have refunded {order}.")])
    draft = writer.write(ORDER)
    assert draft.source == draft.model == "template"
    assert draft.text.startswith("Order #W2611340 should be with you by now")
    assert writer.counts["template"] == 1


def test_a_source_that_fails_is_passed_over():
    writer = Writer([Scripted(BackendError("timed out")), Scripted(GOOD)])
    draft = writer.write(ORDER)
    assert draft.source == "model"
    assert draft.rejected == ("scripted: timed out",)


def test_facts_without_what_they_need_are_the_callers_fault(shipped):
    with pytest.raises(FactsError, match="needs the facts order"):
        shipped.write(Facts("order_overdue"))


def test_a_missing_model_is_named_at_load(tmp_path):
    with pytest.raises(ModelMissing, match=r"writer model .* is missing"):
        Writer.load(tmp_path / "none.gguf", MAIL)
    with pytest.raises(ModelMissing, match="is not a chat model"):
        Writer.load(MAIL, CHAT)
    with pytest.raises(ModelMissing, match="LLM_MODEL names"):
        load_writer(model=tmp_path / "none.gguf", url=None, chat=CHAT, mail=MAIL, threads=1)


@pytest.mark.parametrize(("channel", "count"), [("chat", 60), ("mail", 11)])
def test_the_shipped_models_keep_to_the_facts(shipped, channel, count, record_property):
    facts = list(sample_facts(channel, count, seed=5))
    scores, drafts = evaluate(shipped, channel, count, seed=5)
    record_property(f"{channel}_template_rate", scores.template_rate)
    assert scores.unsupported_facts == 0
    assert scores.required_facts_recall == 1.0
    assert scores.template_rate < 0.1
    for each, draft in zip(facts, drafts, strict=True):
        assert "{" not in draft.text + draft.subject + draft.preheader
        assert unsupported(draft, each) == []
        if channel == "chat":
            assert check(draft.delexicalised, each) == []
        else:
            assert draft.subject
            assert draft.preheader


def test_the_same_seed_gives_the_same_text_and_another_another(shipped):
    same = {shipped.write(ORDER, seed=3).text for _ in range(3)}
    assert len(same) == 1
    assert len({shipped.write(ORDER, seed=seed).text for seed in range(12)}) > 4


def test_what_was_told_before_is_told_in_other_words(shipped):
    def told(count: int, seed: int) -> str:
        return shipped.write(Facts("order_overdue", ORDER.slots, told=count), seed=seed).text

    assert sum(told(0, seed) != told(1, seed) for seed in range(10)) >= 9


def test_a_sentence_that_is_refused_is_written_again():
    model = EmbeddedModel(CHAT)
    asked: list[str] = []

    def judge(sentence: str) -> bool:
        asked.append(sentence)
        return len(asked) > 3

    written = model.write(Request("order_overdue", frozenset({"order"})), seed=[1], judge=judge).text
    model.close()
    assert len(set(asked[:4])) > 1
    assert asked[3] in written


def test_several_threads_may_write_at_once(shipped):
    with ThreadPoolExecutor(4) as pool:
        drafts = list(pool.map(lambda seed: shipped.write(ORDER, seed=seed), range(16)))
    assert [draft.text for draft in drafts] == [shipped.write(ORDER, seed=seed).text for seed in range(16)]


@pytest.fixture(scope="module")
def general(tmp_path_factory) -> Path:
    """A general model that nobody trained: its file carries a chat template, its words are noise."""
    folder = tmp_path_factory.mktemp("general")
    hub = HubFolder(tiny.make_folder(folder / "hub", tiny.byte_level("gpt-2")))
    weights = dict(AutoModelForCausalLM.from_pretrained(hub.path).state_dict())
    export_folder(hub, weights, folder / "noise.gguf", file_type="F16", version="noise", facts={})
    return folder / "noise.gguf"


def test_any_other_gguf_is_held_by_its_grammar_and_the_checker(general):
    """Noise can pass a grammar, never the checker: the embedded model answers, and no fact slips in."""
    writer = load_writer(model=general, url=None, chat=CHAT, mail=MAIL, threads=1)
    draft = writer.write(ORDER, seed=1)
    assert check(draft.delexicalised, ORDER) == []
    assert draft.model != "noise"
    local = LocalModel(general, threads=1)
    for seed in range(3):
        with suppress(BackendError):  # no end in sight
            text = local.draft(ORDER, seed).text
            assert not re.search(r"[\d@<>\\/]", text)
            assert set(SLOT.findall(text)) <= {"order"}
    assert local.engine.metrics().shared_tokens > 100
    local.close()


def test_a_model_without_a_chat_template_cannot_be_asked():
    with pytest.raises(ModelMissing, match="carries no chat template"):
        load_writer(model=CHAT, url=None, chat=CHAT, mail=MAIL, threads=1)


def test_without_a_seed_a_text_is_not_written_twice_in_a_row(shipped):
    texts = [shipped.write(ORDER).delexicalised for _ in range(12)]
    assert len(set(texts)) >= 11


def test_where_there_are_few_ways_to_say_it_no_time_goes_into_a_new_one():
    tried = Counter[str]()

    class OneLine(Scripted):
        is_quick = True

        def draft(self, facts: Facts, seed: int) -> Words:
            tried["drafts"] += 1
            return Words(GOOD, tokens=9)

    writer = Writer([OneLine()])
    for _ in range(60):
        assert writer.write(ORDER).delexicalised == GOOD
    tried.clear()
    for _ in range(20):
        writer.write(ORDER)
    assert tried["drafts"] == 20


def test_what_was_said_before_in_the_conversation_is_said_otherwise(shipped):
    before: list[str] = []
    for turn in range(4):
        facts = Facts("order_overdue", ORDER.slots, told=turn, before=tuple(before))
        before.append(shipped.write(facts).delexicalised)
    said = [sentence for text in before for sentence in sentences(text)]
    assert len(said) - len(set(said)) <= 1


def test_a_present_is_taken_up_and_only_where_it_was_mentioned(shipped):
    slots = {"order": Fact("#W2611340", "x"), "delivered_day": Fact("Tuesday 24 November", "x")}
    texts = {}
    for said in ("where is it? it's a birthday present for my daughter", "where is it?"):
        facts = Facts("order_delivered", slots, customer_text=said)
        texts[said] = " ".join(shipped.write(facts, seed=seed).text for seed in range(12))
    heard, unheard = texts.values()
    assert THEMES["gift"].marks.search(heard)
    assert not THEMES["gift"].marks.search(unheard)


def test_the_prompt_lists_meanings_not_values():
    facts = Facts("order_overdue", ORDER.slots, mood="angry", told=1, customer_text="where is it!!")
    text = messages(facts)[1]["content"]
    assert "- {order}: order number as the shop writes it" in text
    assert "(must)" in text
    assert "where is it!!" in text
    assert "other words" in text


def test_an_answer_in_mail_form_is_read():
    facts = Facts("mail_invoice", channel="mail")
    answer = (
        "**Subject:** Your invoice for {{order}}\nPreheader: {amount} in total\n\nHello,\n\n\nHere it is."
    )
    assert read_answer(answer, facts) == (
        "Hello,\n\nHere it is.",
        "Your invoice for {order}",
        "{amount} in total",
    )
