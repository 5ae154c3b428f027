"""Help articles: kept as files or edited at the desk, searched by meaning, quoted word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from pgvector.django import CosineDistance

from chatbot.assistant import Encoder
from chatbot.models import Article, Passage

FOLDER = Path(__file__).parent / "knowledge_base"
# Cosine distance beyond which a passage does not answer; and the credit of an article filed under
# the intent. Chosen on the articles' own titles and questions, see tests/chatbot/test_knowledge.py.
FARTHEST = 0.62
NEAR = 0.42  # for a question that no intent claims
INTENT_CREDIT = 0.15
LONGEST_QUOTE = 320


class ArticleError(ValueError):
    """A help article's file cannot be read; says which and why."""


@dataclass(frozen=True, slots=True)
class ArticleFile:
    slug: str
    title: str
    intents: tuple[str, ...]
    body: str


def parse(text: str, *, name: str) -> ArticleFile:
    """One article: front matter between `---` lines, then the body."""
    match = re.match(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL)
    if not match:
        raise ArticleError(f"{name}: starts with no front matter between two lines of ---.")
    pairs = dict(re.findall(r"^(\w+): *(.*?) *$", match[1], re.MULTILINE))
    if missing := {"slug", "title"} - pairs.keys():
        raise ArticleError(f"{name}: the front matter lacks {', '.join(sorted(missing))}.")
    intents = tuple(part.strip() for part in pairs.get("intents", "").split(",") if part.strip())
    return ArticleFile(pairs["slug"], pairs["title"], intents, match[2].strip())


def passages(body: str) -> Iterator[str]:
    """The quotable pieces of an article: of each paragraph, its first sentences up to a length that
    a chat bubble bears."""
    for block in re.split(r"\n\s*\n", body):
        lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
        text = re.sub(r"^[-*] +", "", " ".join(lines), flags=re.MULTILINE)
        text = re.sub(r"[*_`]{1,2}", "", re.sub(r"\s+", " ", text)).strip()
        if text:
            yield _opening(text)


def _opening(paragraph: str) -> str:
    sentences = re.split(r"(?<=[.!?]) +(?=[A-Z])", paragraph)
    quote = sentences[0]
    for sentence in sentences[1:2]:
        if len(quote) + len(sentence) < LONGEST_QUOTE:
            quote = f"{quote} {sentence}"
    return quote


def load(encoder: Encoder, folder: Path = FOLDER) -> int:
    """Store the shipped articles that are not there yet; what the desk has edited stays. Returns how many."""
    known = set(Article.objects.values_list("slug", flat=True))
    files = [parse(path.read_text(), name=path.name) for path in sorted(folder.glob("*.md"))]
    new = [file for file in files if file.slug not in known]
    for file in new:
        with transaction.atomic():
            article = Article.objects.create(
                slug=file.slug, title=file.title, body=file.body, intents=list(file.intents)
            )
            index(article, encoder)
    return len(new)


@transaction.atomic
def index(article: Article, encoder: Encoder) -> None:
    """Cut an article into passages again, after it was written or edited."""
    texts = list(passages(article.body))
    article.passages.all().delete()
    if not texts:
        return
    vectors = encoder.encode([f"{article.title}. {text}" for text in texts])
    Passage.objects.bulk_create(
        Passage(article=article, position=i, text=text, embedding=vector)
        for i, (text, vector) in enumerate(zip(texts, vectors, strict=True))
    )


def forget(article: Article) -> None:
    """Quote nothing of an article any more, until it is indexed again."""
    article.passages.all().delete()


def unindexed() -> list[Article]:
    """Articles that were written or edited at the desk, for the sweep."""
    return list(Article.objects.filter(passages=None).exclude(body=""))


def search(question: str, *, intent: str, encoder: Encoder, limit: float = FARTHEST) -> Passage | None:
    """The passage that answers best, or None where none comes near: within `limit` of cosine distance."""
    vector = encoder.encode([question])[0]
    near = (
        Passage.objects.select_related("article")
        .annotate(distance=CosineDistance("embedding", vector))
        .order_by("distance")
    )
    filed = near.filter(article__intents__contains=[intent])[:3]
    ranked = sorted(
        [(p.distance - INTENT_CREDIT, p.pk, p) for p in filed] + [(p.distance, p.pk, p) for p in near[:3]],
        key=lambda row: row[:2],
    )
    return ranked[0][2] if ranked and ranked[0][0] <= limit else None
