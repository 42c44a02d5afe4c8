"""Whisper's network in its smallest useful size, with a phoneme head for training only."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS = 192, 3, 4, 3
MELS, ENCODER_STEPS, DECODER_STEPS = 80, 1500, 448


def sinusoids() -> Tensor:
    """Return Whisper's fixed encoder positions (1500, width)."""
    half = WIDTH // 2
    scales = torch.exp(-math.log(10000) / (half - 1) * torch.arange(half))
    angles = torch.arange(ENCODER_STEPS)[:, None] * scales[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    """Multi-head attention; keys have no bias."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH, bias=False)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(
        self, x: Tensor, source: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the output (b, t, width) with the scores of the first head (b, t, s)."""
        size = WIDTH // HEADS
        q, k, v = (
            part.unflatten(-1, (HEADS, size)).transpose(1, 2)
            for part in (self.query(x) * size**-0.5, self.key(source), self.value(source))
        )
        scores = q @ k.transpose(-1, -2)
        if mask is not None:
            scores = scores + mask.to(scores.dtype)
        with torch.autocast("cpu", enabled=False):  # which would make it slow float32
            weights = torch.softmax(scores, dim=-1)
        mixed = weights.to(v.dtype) @ v
        return self.out(mixed.transpose(1, 2).flatten(2)), scores[:, 0]


class Block(nn.Module):
    """One pre-norm layer, with cross-attention in the decoder."""

    def __init__(self, *, cross: bool) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(WIDTH), Attention()
        self.cross_norm = nn.LayerNorm(WIDTH) if cross else None
        self.cross = Attention() if cross else None
        self.norm = nn.LayerNorm(WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(
        self, x: Tensor, source: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output with the scores of the first cross-attention head, if any."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask)[0]
        scores = None
        if self.cross is not None and self.cross_norm is not None and source is not None:
            mixed, scores = self.cross(self.cross_norm(x), source)
            x = x + mixed
        return x + self.down(F.gelu(self.up(self.norm(x)))), scores


class Whisper(nn.Module):
    """The whole network."""

    def __init__(self, vocabulary: int, phonemes: int, first_timestamp: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.encoder_positions: Tensor
        self.register_buffer("encoder_positions", sinusoids())
        self.encoder = nn.ModuleList(Block(cross=False) for _ in range(ENCODER_LAYERS))
        self.encoder_norm = nn.LayerNorm(WIDTH)
        self.phonemes = nn.Linear(WIDTH, phonemes)
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        self.decoder_positions = nn.Parameter(torch.randn(DECODER_STEPS, WIDTH) * 0.01)
        self.decoder = nn.ModuleList(Block(cross=True) for _ in range(DECODER_LAYERS))
        self.decoder_norm = nn.LayerNorm(WIDTH)
        self._start(first_timestamp)

    def _start(self, first_timestamp: int) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.04)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in [*self.encoder, *self.decoder]:
            nn.init.normal_(block.down.weight, std=0.02)
        nn.init.normal_(self.embedding.weight, std=0.04)
        # A time's embedding starts as the code of its encoder position, so times come in order.
        count = min(len(self.embedding.weight) - first_timestamp, ENCODER_STEPS)
        with torch.no_grad():
            times = slice(first_timestamp, first_timestamp + count)
            self.embedding.weight[times] = 0.05 * sinusoids()[:count]

    def encode(self, features: Tensor, offset: int = 0) -> Tensor:
        """Turn features (b, 80, n) into states (b, n / 2, width); offset in 20 ms steps."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(features)))).transpose(1, 2)
        x = x + self.encoder_positions[offset : offset + x.shape[1]]
        for block in self.encoder:
            x, _ = block(x)
        return torch.as_tensor(self.encoder_norm(x))

    def decode(self, tokens: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return states (b, t, width) with the first-head scores of the first and last layer."""
        length = tokens.shape[1]
        x = self.embedding(tokens) + self.decoder_positions[:length]
        mask = torch.full((length, length), -1e4, device=x.device).triu(1)
        scores = []
        for block in self.decoder:
            x, score = block(x, states, mask)
            scores.append(score)
        return self.decoder_norm(x), scores[0], scores[-1]

    def logits(self, x: Tensor) -> Tensor:
        """Turn decoder states (..., width) into scores of all tokens."""
        return F.linear(x, self.embedding.weight)
