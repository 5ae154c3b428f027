"""Trains the shipped understanding model: `python -m ml.understanding.train --data DIR --out FOLDER`.

Read top to bottom: rows, one encoder adapted to all tasks at once (`--quick`: as it comes), its ONNX file,
and heads fitted on what that file says, so that int8 weights cost the heads nothing. A sixth of our own
sentences is kept from the encoder; temperatures, levels and the scores in the file are theirs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml.understanding import data as sources
from ml.understanding import lessons as rows
from ml.understanding.artifact import ENCODER, FOLDER, Artifact, load, save
from ml.understanding.card import write_card
from ml.understanding.encoder import NAME, Encoder, Vectors
from ml.understanding.fitting import best_temperature
from ml.understanding.head import Head, Labels, fit
from ml.understanding.intents import INTENTS, OUT_OF_SCOPE, judge
from ml.understanding.lessons import SEED, Lesson, lessons_of
from ml.understanding.metrics import calibration_error, report
from ml.understanding.sentiment import FLAGS
from ml.understanding.spelling import Speller
from ml.understanding.text import prepare
from ml.understanding.trust import OUTSIDE_SHARE, best_level, remember

if TYPE_CHECKING:
    from ml.understanding.minilm import Branch

EPOCHS = 5
ENCODER_ROWS = {"intents": 14_000, "sentiment": 2_000, "toxicity": 500, "injection": 500}  # it is adapted on
FALSE_ALARMS = 0.004  # of ordinary messages of a source not learned from, half way below a flag's level
HIGHEST_LEVEL = 0.999
OUTSIDE_WEIGHTS = (2.0, 1.0, 0.5, 0.2)  # of what is out of scope, times its weight in the rows; one is chosen
REMEMBERED = 600  # sentences of an intent: those with goods in them lie far apart
CLARIFY_ACCURACY = 0.55  # below the confidence where this is reached, we ask back


def build(data: Path, folder: Path, say: Callable[[str], None] = print, *, quick: bool = False) -> Artifact:
    """Everything that goes into the model's files; the encoder is written to `folder` on the way."""
    lessons, counts, fingerprint = lessons_of(data)
    say(f"rows: {counts}")
    from ml.understanding.minilm import tokenizer

    speller = rows.speller(tokenizer().get_vocab())
    texts = {lesson.name: lesson.texts(speller) for lesson in lessons}
    encoder = _write_encoder(lessons, texts, folder, say, quick)
    vectors = {name: encoder.views(said) for name, said in texts.items()}
    found = _intents(lessons[0], vectors["intents"])
    weighed, intent_scores = lessons[0].weighing(OUT_OF_SCOPE, found.factor), found.scores
    intents = fit(vectors["intents"], weighed.labels, weighed.weights).tempered(found.temperature)
    say(f"intents: {intent_scores}")
    memory = remember(
        vectors["intents"], _owners(lessons[0].labels, intents), seed=SEED, per_label=REMEMBERED
    )
    heads: dict[str, Head] = {"intents": intents}
    scores: dict[str, Any] = {"intents": intent_scores}
    for lesson in lessons[1:]:
        heads[lesson.name], scores[lesson.name] = _calibrated(lesson, vectors[lesson.name])
        say(f"{lesson.name}: {scores[lesson.name]}")
    levels: dict[str, float] = {
        lesson.name: _alarm_level(vectors[lesson.name], lesson) for lesson in lessons if lesson.name in FLAGS
    }
    say(f"levels of the flags: {levels}")
    about: dict[str, Any] = {
        "data_hash": fingerprint,
        "rows": counts,
        "config": {
            "encoder": NAME, "adapted": not quick, "seed": SEED, "false_alarms": FALSE_ALARMS,
            "epochs": EPOCHS, "encoder_rows": ENCODER_ROWS,
            "bitext_rows": rows.BITEXT_ROWS, "bitext_share": rows.BITEXT_SHARE,
            "variant_weight": rows.VARIANT_WEIGHT, "out_of_scope_weight": rows.OUT_OF_SCOPE_WEIGHT,
            "own_sentiment_weight": rows.OWN_SENTIMENT_WEIGHT,
        },
        "scores": scores,
        "per_intent": found.per_intent,
    }  # fmt: skip
    artifact = Artifact(
        heads, memory, found.level, found.clarify, levels, tokenizer().to_str(), speller.words, about
    )
    scores["intents"] |= _rejection_scores(artifact, encoder, speller, data)
    return artifact


def _write_encoder(
    lessons: Sequence[Lesson],
    texts: Mapping[str, list[str]],
    folder: Path,
    say: Callable[[str], None],
    quick: bool,
) -> Encoder:
    from ml.understanding.export import export
    from ml.understanding.minilm import tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    export(None if quick else _adapted(lessons, texts, say), folder / ENCODER)
    return Encoder(folder / ENCODER, tokenizer().to_str())


def _adapted(
    lessons: Sequence[Lesson], prepared: Mapping[str, list[str]], say: Callable[[str], None]
) -> Branch:
    """One branch for every lesson but moods and threats, whose few sentences it would learn by heart."""
    from ml.understanding.adapt import Task, adapt
    from ml.understanding.minilm import states_of

    texts: list[str] = []
    tasks: list[Task] = []
    for lesson in lessons:
        if lesson.name not in ENCODER_ROWS:
            continue
        chosen = _drawn(lesson, ENCODER_ROWS[lesson.name])
        said = prepared[lesson.name]
        rows_of_task = np.arange(len(texts), len(texts) + len(chosen))
        tasks.append(Task(rows_of_task, lesson.labels[chosen], np.ones(len(chosen))))
        texts += [said[row] for row in chosen]
    begun = time.perf_counter()
    branch = adapt(states_of(texts), tasks, seed=SEED, epochs=EPOCHS)
    say(f"encoder adapted on {len(texts)} sentences in {time.perf_counter() - begun:.0f} s")
    return branch


def _drawn(lesson: Lesson, count: int) -> NDArray[np.int64]:
    """Rows that are not held out, drawn by their weight: minutes of training instead of an hour."""
    seen = np.flatnonzero(~lesson.held)
    weights = lesson.weights[seen] / lesson.weights[seen].sum()
    drawn = np.random.default_rng(SEED).choice(seen, size=min(count, len(seen)), replace=False, p=weights)
    return np.sort(drawn)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One try at the intents, on held-out rows; `gain` is the share decided rightly, weighed like traffic."""

    gain: float
    factor: float
    temperature: float
    level: float
    clarify: float
    scores: dict[str, Any]
    per_intent: dict[str, Any]


def _intents(lesson: Lesson, vectors: Vectors) -> _Outcome:
    """With the weight of what is out of scope that decides held-out rows best; too much swallows messages."""
    return max((_tried(lesson, vectors, factor) for factor in OUTSIDE_WEIGHTS), key=lambda found: found.gain)


def _tried(lesson: Lesson, vectors: Vectors, factor: float) -> _Outcome:
    lesson = lesson.weighing(OUT_OF_SCOPE, factor)
    part, temperature = _tempered(lesson, vectors)
    seen = vectors[~lesson.held]
    memory = remember(seen, _owners(lesson.labels[~lesson.held], part), seed=SEED, per_label=REMEMBERED)
    tested = judge(part, memory, vectors[lesson.scored])
    gold, names = lesson.labels[lesson.scored], np.array(part.labels)
    best = names[tested.probabilities.argmax(axis=1)]
    ours, outside = best != OUT_OF_SCOPE, gold == OUT_OF_SCOPE
    level = best_level(np.where(ours, tested.trust, -1.0), best == gold, outside)
    decided = np.where(ours & (tested.trust < level), OUT_OF_SCOPE, best)
    right, confidence = decided == gold, tested.probabilities.max(axis=1)
    scores = {
        "held_out": len(gold),
        "temperature": round(temperature, 4),
        "level": level,
        "outside_weight": factor,
        "accuracy": round(float((best == gold).mean()), 4),
        "ece": round(calibration_error(confidence, best == gold), 4),
    }
    return _Outcome(
        gain=OUTSIDE_SHARE * float(right[outside].mean())
        + (1 - OUTSIDE_SHARE) * float(right[~outside].mean()),
        factor=factor,
        temperature=temperature,
        level=level,
        clarify=_clarify_level(confidence[ours], (best == gold)[ours]),
        scores=scores,
        per_intent=report(gold.tolist(), decided.tolist(), confidence.tolist(), out_of_scope=OUT_OF_SCOPE),
    )


def _tempered(lesson: Lesson, vectors: Vectors) -> tuple[Head, float]:
    """The head of what the encoder has seen, and the temperature that what it has not asks for."""
    seen = ~lesson.held
    part = fit(vectors[seen], lesson.labels[seen], lesson.weights[seen])
    gold = np.searchsorted(part.labels, lesson.labels[lesson.scored])
    temperature = best_temperature(part.logits(vectors[lesson.scored]), gold)
    return part.tempered(temperature), temperature


def _calibrated(lesson: Lesson, vectors: Vectors) -> tuple[Head, dict[str, Any]]:
    part, temperature = _tempered(lesson, vectors)
    probabilities, gold = part.probabilities(vectors[lesson.scored]), lesson.labels[lesson.scored]
    right = np.array(part.labels)[probabilities.argmax(axis=1)] == gold
    scores = {
        "held_out": len(gold),
        "accuracy": round(float(right.mean()), 4),
        "ece": round(calibration_error(probabilities.max(axis=1), right), 4),
    }
    return fit(vectors, lesson.labels, lesson.weights).tempered(temperature), scores


def _alarm_level(vectors: Vectors, lesson: Lesson) -> float:
    """Half way to certainty from what hardly any plain message of a source reaches that the head has not seen
    at all, of the source where most is reached: another shop's customers are such a source. The source of
    those that raise the flag is not among them. A false alarm costs more than a miss, because flags only
    inform."""
    _, temperature = _tempered(lesson, vectors)
    origins = np.array(lesson.origins)
    reached = [
        _reached(vectors, lesson, origins == origin, temperature)
        for origin in np.unique(origins)
        if (lesson.labels[origins == origin] == "plain").all()
    ]
    return round(min(HIGHEST_LEVEL, max(0.5, (1 + max(reached)) / 2)), 4)


def _reached(vectors: Vectors, lesson: Lesson, strange: NDArray[np.bool_], temperature: float) -> float:
    """What a share FALSE_ALARMS of these rows exceeds, by a head that was fitted without them."""
    seen = ~strange
    head = fit(vectors[seen], lesson.labels[seen], lesson.weights[seen]).tempered(temperature)
    said = head.probabilities(vectors[strange])[:, head.labels.index(lesson.name)]
    return float(np.quantile(said, 1 - FALSE_ALARMS))


def _owners(labels: Labels, head: Head) -> NDArray[np.int64]:
    return np.where(labels == OUT_OF_SCOPE, -1, np.searchsorted(head.labels, labels))


def _rejection_scores(artifact: Artifact, encoder: Encoder, speller: Speller, data: Path) -> dict[str, float]:
    """On CLINC150's out-of-scope test queries, which nothing here was set on."""
    vectors = encoder.views([speller.correct(prepare(text)) for text, _ in sources.clinc(data, "oos_test")])
    head = artifact.heads["intents"]
    tested = judge(head, artifact.memory, vectors)
    best = np.array(head.labels)[tested.probabilities.argmax(axis=1)]
    rejected = (best == OUT_OF_SCOPE) | (tested.trust < artifact.level)
    return {"clinc150_oos_test_recall": round(float(rejected.mean()), 4)}


def _clarify_level(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The least confidence above which in-scope answers were right often enough, in steps of 0.05."""
    for level in np.arange(0.2, 0.8, 0.05):
        near = (confidence >= level) & (confidence < level + 0.1)
        if near.sum() >= 5 and right[near].mean() >= CLARIFY_ACCURACY:
            return round(float(level), 2)
    return 0.8


def train_shipped(
    data: Path, folder: Path, *, quick: bool = False, say: Callable[[str], None] = print
) -> None:
    """Train, check that every intent of the design is there, write the files and their card."""
    begun = time.perf_counter()
    artifact = build(data, folder, say, quick=quick)
    if set(artifact.heads["intents"].labels) != set(INTENTS):
        raise sources.DataError("The examples do not cover exactly the intents of the design.")
    save(artifact, folder)
    write_card(load(folder), folder / "understanding.md")  # as whoever loads the files would write it
    say(f"{folder}/understanding.* written in {time.perf_counter() - begun:.0f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the understanding model.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the model's files and card")
    parser.add_argument("--quick", action="store_true", help="leave the encoder as it is")
    options = parser.parse_args(arguments)
    try:
        train_shipped(options.data, options.out, quick=options.quick)
    except (OSError, sources.DataError) as error:
        print(f"Training stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
