"""A small Llama: the architecture that llama.cpp runs, in the layout its GGUF file expects.

Rotary positions turn neighbouring pairs of features (Su et al. 2021, as in Meta's own weights),
so no weight is permuted on export. Input and output embeddings are one matrix.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Config:
    """Widths are multiples of 256, the block of llama.cpp's K-quants (Q8_0 needs 32)."""

    vocab: int = 4096
    width: int = 256
    layers: int = 8
    heads: int = 4
    hidden: int = 768
    context: int = 1024
    theta: float = 10_000.0
    epsilon: float = 1e-5

    def to_dict(self) -> dict[str, int | float]:
        return asdict(self)


class Norm(nn.Module):
    """Root mean square normalisation (Zhang and Sennrich 2019), in float32."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), self.weight.shape, self.weight, self.epsilon)


class Attention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.q = nn.Linear(config.width, config.width, bias=False)
        self.k = nn.Linear(config.width, config.width, bias=False)
        self.v = nn.Linear(config.width, config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, turn: Tensor) -> Tensor:
        batch, length, width = x.shape
        shape = (batch, length, self.heads, width // self.heads)
        q = rotate(self.q(x).view(shape), turn).transpose(1, 2)  # batch, heads, length, width of head
        k = rotate(self.k(x).view(shape), turn).transpose(1, 2)
        v = self.v(x).view(shape).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


class FeedForward(nn.Module):
    """SwiGLU (Shazeer 2020)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.hidden, bias=False)
        self.up = nn.Linear(config.width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down(F.silu(self.gate(x)) * self.up(x))
        return out


class Layer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = Norm(config.width, config.epsilon)
        self.attention = Attention(config)
        self.forward_norm = Norm(config.width, config.epsilon)
        self.feed_forward = FeedForward(config)

    def forward(self, x: Tensor, turn: Tensor, drop: float) -> Tensor:
        x = x + F.dropout(self.attention(self.attention_norm(x), turn), drop, self.training)
        return x + F.dropout(self.feed_forward(self.forward_norm(x)), drop, self.training)


class Llama(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab, config.width)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = Norm(config.width, config.epsilon)
        self.drop = 0.0
        self.register_buffer("turn", rotation(config), persistent=False)
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, Attention | FeedForward):  # keeps the residual stream's variance level
            last = module.out if isinstance(module, Attention) else module.down
            nn.init.normal_(last.weight, std=0.02 / (2 * self.config.layers) ** 0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (batch, length) → logits: (batch, length, vocab)"""
        return F.linear(self.states(tokens), self.embedding.weight)

    def states(self, tokens: Tensor) -> Tensor:
        """What the last layer holds. tokens: (batch, length) → (batch, length, width)"""
        x = self.embedding(tokens)
        turn = self.get_buffer("turn")[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, turn, self.drop)
        out: Tensor = self.norm(x)
        return out

    def loss(self, tokens: Tensor, weights: Tensor) -> Tensor:
        """Mean next-token loss in nats over the positions whose target has weight 1; logits are made for
        those alone, since a prompt is half of what a fine-tune reads.

        tokens: (batch, length); weights: (batch, length), the weight of each token as a target."""
        counted = weights[:, 1:] != 0
        logits = F.linear(self.states(tokens[:, :-1])[counted], self.embedding.weight)
        return F.cross_entropy(logits.float(), tokens[:, 1:][counted])

    def size(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def rotation(config: Config) -> Tensor:
    """(context, width of head / 2, 2): cosine and sine of each position's angles."""
    half = config.width // config.heads // 2
    rates = config.theta ** (-torch.arange(half) / half)
    angles = torch.outer(torch.arange(config.context), rates)
    return torch.stack((angles.cos(), angles.sin()), dim=-1)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn neighbouring feature pairs. x: (batch, length, heads, width of head)"""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = turn[:, None, :, 0], turn[:, None, :, 1]
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2).type_as(x)


@torch.no_grad()
def generate(model: Llama, tokens: list[int], end: int, limit: int = 100) -> list[int]:
    """Greedy continuation, for tests and for looking at a checkpoint."""
    model.eval()
    out: list[int] = []
    while len(out) < limit:
        logits = model(torch.tensor([tokens + out]))[0, -1]
        out.append(int(logits.argmax()))
        if out[-1] == end:
            break
    return out
