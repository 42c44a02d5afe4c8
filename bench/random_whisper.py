"""Whisper models with random weights in the shapes of the real ones, for load and for tests.

    .venv/bin/python -m bench.random_whisper FOLDER --shape large-v3

They cost what the real ones cost and understand nothing. Their decoders follow a script: position
p of the decoder says one certain token, whatever was heard, and every 28th says the end. So a
decode without a prompt gives 26 tokens, one with a prompt 1 to 28, with high probability, and none
of the guards against invented text has a reason to search again.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Final

import numpy as np
import tokenizers
from ctranslate2.specs import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import decoders, models, pre_tokenizers

Weights = NDArray[np.float16]

_TEXT_TOKENS: Final = 50_257
_AUDIO_POSITIONS: Final = 1_500
_TIMESTAMPS: Final = _AUDIO_POSITIONS + 1
_TEXT_POSITIONS: Final = 448
_SCRIPT_LENGTH: Final = 28
_CERTAINTY: Final = 30.0
"""Logit of the token that the script wants; those of the others are about 0."""
_HEARD: Final = 0.05
"""Share of what layers add to the residual stream, beside the script."""
_SPACE: Final = "Ġ"
"""How a byte-level vocabulary writes a space."""

MARK: Final = "random.json"
"""File that tells a folder of this kind from a model that understands speech."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a multilingual Whisper model."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    languages: int = 99


SHAPES: Final = {
    "nano": Shape(64, 1, 1, 1),
    "nano-v3": Shape(64, 1, 1, 1, mels=128, languages=100),
    "tiny": Shape(384, 6, 4, 4),
    "base": Shape(512, 8, 6, 6),
    "small": Shape(768, 12, 12, 12),
    "medium": Shape(1024, 16, 24, 24),
    "large-v3": Shape(1280, 20, 32, 32, mels=128, languages=100),
    "large-v3-turbo": Shape(1280, 20, 32, 4, mels=128, languages=100),
}
"""The nano ones are our own, for tests; the others are Whisper's (Radford et al. 2022)."""


def text_tokens() -> tuple[list[str], list[tuple[str, str]]]:
    """Give a made-up vocabulary of byte pairs with its merges: bytes, then " a", " b" …

    The last token is empty: by it CTranslate2 tells Whisper's multilingual vocabulary.
    """
    first = [_SPACE, *ascii_lowercase]
    alphabet = first + sorted(set(pre_tokenizers.ByteLevel.alphabet()) - set(first))
    merges = list(islice(product(alphabet, alphabet), _TEXT_TOKENS - len(alphabet) - 1))
    return [*alphabet, *(left + right for left, right in merges), ""], merges


def special_tokens(languages: int) -> list[str]:
    """Give the tokens behind the text, in Whisper's order, without the times."""
    spoken = [f"<|{code}|>" for code in _LANGUAGE_CODES[:languages]]
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    return ["<|endoftext|>", "<|startoftranscript|>", *spoken, *(f"<|{task}|>" for task in tasks)]


class _Filler:
    """Draws weights of one shape and puts them into a specification."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape = shape
        self._random = np.random.default_rng(seed)

    def draw(self, *sizes: int, deviation: float) -> Weights:
        drawn = self._random.standard_normal(sizes, dtype=np.float32)
        drawn *= deviation
        return drawn.astype(np.float16)

    def linear(self, spec: Any, outputs: int, inputs: int, *, to_stream: bool = False) -> None:
        """Keep the variance, or add a small share of it to the residual stream."""
        layers = self.shape.encoder_layers + self.shape.decoder_layers
        share = _HEARD / layers**0.5 if to_stream else 1.0
        spec.weight = self.draw(outputs, inputs, deviation=share / inputs**0.5)
        spec.bias = np.zeros(outputs, np.float16)

    def norm(self, spec: Any) -> None:
        spec.gamma = np.ones(self.shape.width, np.float16)
        spec.beta = np.zeros(self.shape.width, np.float16)

    def attention(self, spec: Any, *, merged: Sequence[int]) -> None:
        """Fill an attention whose projections come `merged` together: (3,) or (1, 2)."""
        width = self.shape.width
        self.norm(spec.layer_norm)
        for projection, count in zip(spec.linear, merged, strict=False):
            self.linear(projection, count * width, width)
        self.linear(spec.linear[-1], width, width, to_stream=True)

    def layer(self, spec: Any, *, crossed: bool) -> None:
        width = self.shape.width
        self.attention(spec.self_attention, merged=(3,))
        if crossed:
            self.attention(spec.attention, merged=(1, 2))
        self.norm(spec.ffn.layer_norm)
        self.linear(spec.ffn.linear_0, 4 * width, width)
        self.linear(spec.ffn.linear_1, width, 4 * width, to_stream=True)

    def encoder(self, spec: Any) -> None:
        width, mels = self.shape.width, self.shape.mels
        for conv, channels in ((spec.conv1, mels), (spec.conv2, width)):
            conv.weight = self.draw(width, channels, 3, deviation=(3 * channels) ** -0.5)
            conv.bias = np.zeros(width, np.float16)
        spec.position_encodings.encodings = self.draw(_AUDIO_POSITIONS, width, deviation=0.5)
        for layer in spec.layer:
            self.layer(layer, crossed=False)
        self.norm(spec.layer_norm)

    def decoder(self, spec: Any, script: Sequence[int], vocabulary: int) -> None:
        width = self.shape.width
        deviation = _CERTAINTY / width
        embeddings = self.draw(vocabulary, width, deviation=deviation)
        spec.embeddings.weight = embeddings
        # The projection is the embedding: what a position holds of a token's row, it says.
        spec.position_encodings.encodings = (
            embeddings[list(script)].astype(np.float32) / deviation
        ).astype(np.float16)
        for layer in spec.layer:
            self.layer(layer, crossed=True)
        self.norm(spec.layer_norm)


def _script(texts: Sequence[str], seed: int) -> list[int]:
    """Give the token that each position says: single letters, every 28th time the end."""
    random = np.random.default_rng(seed)
    words = [texts.index(_SPACE + letter) for letter in ascii_lowercase]
    ends = (position % _SCRIPT_LENGTH == _SCRIPT_LENGTH - 1 for position in range(_TEXT_POSITIONS))
    return [_TEXT_TOKENS if end else int(random.choice(words)) for end in ends]


def _write_tokenizer(
    folder: Path, texts: list[str], merges: list[tuple[str, str]], specials: list[str]
) -> None:
    tokenizer = tokenizers.Tokenizer(
        models.BPE({text: number for number, text in enumerate(texts)}, merges)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def write_random_model(folder: Path, shape: str = "nano", seed: int = 1) -> Path:
    """Write a model that faster-whisper loads from its folder alone; give the folder.

    The weights are float16, a compute type is chosen at load. Raises KeyError for a shape that is
    not in SHAPES.
    """
    sizes = SHAPES[shape]
    folder.mkdir(parents=True, exist_ok=True)
    (texts, merges), specials = text_tokens(), special_tokens(sizes.languages)
    times = [f"<|{step / 50:.2f}|>" for step in range(_TIMESTAMPS)]
    vocabulary = texts + specials + times
    spec = WhisperSpec(sizes.encoder_layers, sizes.heads, sizes.decoder_layers, sizes.heads)
    filler = _Filler(sizes, seed)
    filler.encoder(spec.encoder)
    filler.decoder(spec.decoder, _script(texts, seed), len(vocabulary))
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [texts.index(_SPACE), _TEXT_TOKENS]
    first_language = _TEXT_TOKENS + 2
    spec.config.lang_ids = list(range(first_language, first_language + sizes.languages))
    last = sizes.decoder_layers - 1
    spec.config.alignment_heads = [(last, head) for head in range(min(6, sizes.heads))]
    spec.validate()
    # Said by name: the search for equal weights compares every pair, minutes for the large ones.
    spec.decoder.projection.weight = "decoder/embeddings/weight"
    spec.save(str(folder))
    _write_tokenizer(folder, texts, merges, specials)
    features = {"feature_size": sizes.mels, "sampling_rate": 16_000, "hop_length": 160,
                "chunk_length": 30, "n_fft": 400}  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(features))
    (folder / MARK).write_text(json.dumps({"shape": shape, "seed": seed}))
    return folder


def main() -> int:
    """Write one model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="tiny")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(write_random_model(asked.folder, asked.shape, asked.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
