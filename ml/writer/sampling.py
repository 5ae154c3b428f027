"""Drawing the next token under a constraint.

Our own models are held by a mask: a vector over the vocabulary that is added to the scores. All masked
sequences of a step are drawn together, since a step of eight takes a few milliseconds and a call of numpy
some microseconds. Any other model is held by a grammar, which llama.cpp evaluates.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import llama_cpp
import numpy as np

from ml.writer.llama import LlamaError, Model, Scores

# Below this share of the likeliest token a token is noise, not variety.
MIN_P = 0.02
TOP_P = 0.95
_LEAST = np.float32(np.log(MIN_P))
NOTHING = -1
DUE = 3.0  # nats that a token gains while it is due


@dataclass(frozen=True, slots=True)
class Mask:
    """float32 (vocabulary), 0 for a token that may be written, minus infinity for any other: `bias` where
    a sentence starts, `inside` elsewhere, and `alone` after a token that has to stay a word of its own.
    `opening` are the tokens that a sentence starts after, `lone` those that stay words. Tokens of `due` are
    likelier until they are written, and a token of `most` is shut once it was written so often; both count
    from the first `body` on, if that is given."""

    bias: Scores
    inside: Scores
    alone: Scores
    opening: frozenset[int] = frozenset()
    lone: frozenset[int] = frozenset()
    due: frozenset[int] = frozenset()
    most: Mapping[int, int] = field(default_factory=dict)
    body: int | None = None
    temperature: float = 0.8

    @classmethod
    def everywhere(cls, bias: Scores, temperature: float = 0.8) -> Mask:
        """One bias for every place."""
        return cls(bias, bias, bias, temperature=temperature)

    def after(self, token: int | None) -> Scores:
        if token is None or token in self.opening:
            return self.bias
        return self.alone if token in self.lone else self.inside

    def hold(self, scores: Scores, written: list[int], out: Scores) -> None:
        """Put into `out` what the mask makes of the scores (vocabulary) for the token after `written`."""
        np.add(scores, self.after(written[-1] if written else None), out=out)
        if missing := self.missing(written):
            out[missing] += DUE
        if shut := self.shut(written):
            out[shut] = -np.inf

    def shut(self, written: list[int]) -> list[int]:
        """The tokens that may not come again."""
        told = [token for token in self._counted(written) if token in self.most]
        return [token for token in set(told) if told.count(token) >= self.most[token]]

    def missing(self, written: list[int]) -> list[int]:
        """The tokens that still have to come."""
        return list(self.due.difference(self._counted(written)))

    def _counted(self, written: list[int]) -> list[int]:
        if self.body is None:
            return written
        return written[written.index(self.body) :] if self.body in written else []


@dataclass(frozen=True, slots=True)
class Grammar:
    """`rules`: GBNF whose root is `root`; "" allows any text."""

    rules: str
    temperature: float = 0.6


Constraint = Mask | Grammar


def draw(held: Scores, heats: Scores, dice: Sequence[float]) -> list[int]:
    """One token for each row, NOTHING where none may come: temperature, min-p, then the nucleus of
    probability TOP_P.

    held: (rows, vocabulary), scores under their masks; heats: (rows), the temperatures; dice: one for each
    row, uniform in [0, 1). The nucleus is Holtzman et al. 2020, min-p is Nguyen et al. 2024. Few tokens are
    left of a row, so they are gone through without numpy, whose every call costs as much as they do."""
    best = held.max(axis=1)
    floor = best + heats * _LEAST
    floor[best == -np.inf] = np.inf
    likely = np.flatnonzero(held >= floor[:, None])  # many times faster than in two dimensions
    rows, tokens = np.divmod(likely, held.shape[1])
    weights = np.exp((held.ravel()[likely] - best[rows]) / heats[rows])
    ends = rows.searchsorted(range(len(held) + 1)).tolist()
    pairs = list(zip(weights.tolist(), tokens.tolist(), strict=True))
    return [_nucleus(pairs[a:b], die) for a, b, die in zip(ends[:-1], ends[1:], dice, strict=True)]


def _nucleus(pairs: list[tuple[float, int]], die: float) -> int:
    """Of (weight, token) pairs one from the likeliest that hold TOP_P of the weight."""
    if len(pairs) < 2:
        return pairs[0][1] if pairs else NOTHING
    pairs.sort(reverse=True)
    summed = list(accumulate(weight for weight, _ in pairs))
    inside = bisect_left(summed, TOP_P * summed[-1])
    return pairs[bisect_right(summed, die * summed[inside], hi=inside)][1]


class Grammatical:
    """A sequence's grammar and dice in llama.cpp. `close` frees them.

    A token is drawn freely first and kept if the grammar takes it, which is nearly always so; only
    otherwise the grammar goes through the whole vocabulary."""

    def __init__(self, model: Model, grammar: Grammar, seed: int) -> None:
        """Raises LlamaError where the rules are no grammar."""
        self._rules = None
        if grammar.rules:
            self._rules = llama_cpp.llama_sampler_init_grammar(model.vocab, grammar.rules.encode(), b"root")
            if not self._rules:
                raise LlamaError("a grammar could not be read")
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in (
            llama_cpp.llama_sampler_init_top_k(64),
            llama_cpp.llama_sampler_init_min_p(MIN_P, 1),
            llama_cpp.llama_sampler_init_temp(grammar.temperature),
            llama_cpp.llama_sampler_init_dist(seed & 0xFFFFFFFF),
        ):
            llama_cpp.llama_sampler_chain_add(self._chain, link)
        self._data = (llama_cpp.llama_token_data * model.size)()
        self._view = np.frombuffer(self._data, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])

    def draw(self, scores: Scores) -> int:
        """scores: (vocabulary). The drawn token is taken into the grammar's state."""
        token = self._sample(scores, ruled=False)
        if self._rules and not self._allows(token):
            token = self._sample(scores, ruled=True)
        if self._rules:
            llama_cpp.llama_sampler_accept(self._rules, token)
        return token

    def close(self) -> None:
        if self._chain:
            llama_cpp.llama_sampler_free(self._chain)
            self._chain = None
        if self._rules:
            llama_cpp.llama_sampler_free(self._rules)
            self._rules = None

    def _sample(self, scores: Scores, *, ruled: bool) -> int:
        self._view["id"] = np.arange(len(scores), dtype=np.int32)
        self._view["logit"] = scores
        self._view["p"] = 0
        candidates = llama_cpp.llama_token_data_array(
            data=self._data, size=len(scores), selected=-1, sorted=False
        )
        if ruled and self._rules:
            llama_cpp.llama_sampler_apply(self._rules, ctypes.byref(candidates))
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        return int(candidates.data[candidates.selected].id)

    def _allows(self, token: int) -> bool:
        one = (llama_cpp.llama_token_data * 1)(llama_cpp.llama_token_data(id=token, logit=0.0, p=0.0))
        candidates = llama_cpp.llama_token_data_array(data=one, size=1, selected=-1, sorted=False)
        assert self._rules is not None
        llama_cpp.llama_sampler_apply(self._rules, ctypes.byref(candidates))
        return bool(np.isfinite(one[0].logit))
