"""The model card, written from the model's file so that the two cannot disagree."""

from __future__ import annotations

from pathlib import Path

from ml.understanding.artifact import Artifact
from ml.understanding.intents import OUT_OF_SCOPE

_TEXT = """\
# {version}

Decides what a customer's message is about, whether it is anything this desk does, how its writer feels,
and whether it is abusive, tries to steer the assistant or threatens to leave. Trained by
`python -m ml.understanding.train --data DIR`; the files hold an ONNX graph, arrays and JSON, and carry
configuration, data hash and scores.

## What it is
all-MiniLM-L6-v2 (Apache-2.0) with int8 weights. {views}
Slips are read as the words of our examples that they are near to ({words} words).
Each head is multinomial logistic regression, tempered ({temperature} for the {labels} intents). A
message is out of scope when that class wins or its trust, the geometric mean of its softened
probability and its nearness to a training sentence of the intent, stays below {level}.
Below {clarify} of confidence the desk asks back. Flags are raised at {flags}; they inform people and
refuse nothing.

## Data
| set | rows | licence | used for |
|---|---|---|---|
| own sentences, `ml/understanding/examples` | {own} | the project's | intents, sentiment, flags |
| filled from our own frames (`frames`, `felt`) | {composed} | the project's | intents, sentiment, ordinary |
| Bitext customer service, 2020 and 2022 | {bitext} (a sample) | CDLA-Sharing-1.0 | intents |
| CLINC150, out-of-scope train and validation queries | {clinc150} | CC BY 3.0 | outside, ordinary |
| Schema-guided dialogues (SGD), first turns | {sgd} | CC BY-SA 4.0 | out of scope |
| Taskmaster 4, customers' turns | {taskmaster} (a sample) | CC BY 4.0 | neutral, ordinary |
| Women's clothing reviews, 1, 2 and 5 stars | {reviews} (a sample) | CC0 | sentiment |
| own support messages by mood | {moods} | the project's | sentiment, moods |
| Davidson's hateful and offensive tweets | {davidson} (a sample) | MIT | toxicity |
| jailbreaks in the wild, four fifths | {jailbreaks} | MIT | injection, outside (a quarter) |
| own sentences that steer or threaten to leave | {flags_rows} | the project's | flags |

Data hash `{data_hash}`. Bitext's questions about a customer's own parcel are labelled
`delivery_period` in one edition and `track_order` in the other; those rows are left out.

## Scores
On the sixth of the rows that the encoder and the scored heads never saw, variants of a sentence and
fillings of a frame kept together. Temperatures, levels and the weight of what is out of scope were
chosen on the same rows, so these figures are slightly kind.
The shipped heads are then fitted on all rows. The last line is on data that nothing was set on.

| figure | value |
|---|---|
| intents, accuracy before rejection | {accuracy} of {held_out} |
| intents, accuracy after rejection | {decided} |
| in-scope accuracy after rejection | {inside} |
| out-of-scope recall, precision | {oos_recall}, {oos_precision} |
| calibration error | {ece} |
{others}
| CLINC150 out-of-scope test queries rejected | {clinc_recall} |

| intent | precision | recall | held-out examples |
|---|---|---|---|
{intents}

## Limits
English only: a message mostly in another script is answered as out of scope. Our own sentences were
written by few people, so real customers will be harder than these figures. Product questions ("is it
dishwasher safe") count as out of scope. Beyond 256 word pieces a message is read at its two ends. Mood
follows words and typography, not irony. Tweets were the only examples of abuse.
"""

_ADAPTED = """\
Its upper two layers exist twice: as they come, and adapted to the tasks below, all at once; the logits
of both sentence vectors are averaged."""
_AS_IT_COMES = "The encoder is as it comes (`--quick`)."


def write_card(artifact: Artifact, path: Path) -> None:
    path.write_text(card(artifact), encoding="utf-8")


def card(artifact: Artifact) -> str:
    about, scores, intents = artifact.about, artifact.about["scores"], artifact.heads["intents"]
    table = about["per_intent"]
    rows = [
        f"| {label} | {score['precision']:.2f} | {score['recall']:.2f} | {score['support']} |"
        for label, score in table["intents"].items()
    ]
    others = [
        f"| {name}: accuracy, calibration error "
        f"| {found['accuracy']} of {found['held_out']}, {found['ece']} |"
        for name, found in scores.items()
        if name != "intents"
    ]
    return _TEXT.format(
        **{name: count for name, count in about["rows"].items() if name != "flags"},
        flags_rows=about["rows"]["flags"],
        version=artifact.version,
        views=_ADAPTED if about["config"]["adapted"] else _AS_IT_COMES,
        labels=len(intents.labels),
        words=len(artifact.words),
        temperature=f"{intents.temperature:.2f}",
        level=artifact.level,
        clarify=artifact.clarify,
        flags=", ".join(f"{level} ({name})" for name, level in sorted(artifact.flags.items())),
        data_hash=about["data_hash"],
        accuracy=scores["intents"]["accuracy"],
        held_out=scores["intents"]["held_out"],
        decided=table["accuracy"],
        inside=table["in_scope_accuracy"],
        oos_recall=table["intents"][OUT_OF_SCOPE]["recall"],
        oos_precision=table["intents"][OUT_OF_SCOPE]["precision"],
        ece=scores["intents"]["ece"],
        clinc_recall=scores["intents"]["clinc150_oos_test_recall"],
        others="\n".join(others),
        intents="\n".join(rows),
    )
