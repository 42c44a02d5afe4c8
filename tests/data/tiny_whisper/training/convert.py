"""Conversion to a CTranslate2 folder: python convert.py WORK_FOLDER MODEL_FOLDER."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from ctranslate2.specs import attention_spec, common_spec, whisper_spec
from tokenizers import Tokenizer
from torch import Tensor

import model
import tokens

Weights = dict[str, Tensor]
LAST_LAYER_FIRST_HEAD = [[model.DECODER_LAYERS - 1, 0]]
_PREPROCESSOR = {
    "feature_size": model.MELS,
    "sampling_rate": 16000,
    "hop_length": 160,
    "chunk_length": 30,
    "n_fft": 400,
}


class _Whisper(whisper_spec.WhisperSpec):  # type: ignore[misc]  # the library has no types
    """The specification with a fixed list of tokens and this model's settings."""

    def get_default_config(self) -> whisper_spec.WhisperConfig:
        return whisper_spec.WhisperConfig(
            suppress_ids=[],
            suppress_ids_begin=[],
            lang_ids=[tokens.EN],
            alignment_heads=LAST_LAYER_FIRST_HEAD,
        )


def _norm(spec: common_spec.LayerNormSpec, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _linear(spec: common_spec.LinearSpec, weights: Weights, *names: str) -> None:
    parts = [weights[f"{name}.weight"] for name in names]
    zero = torch.zeros(model.WIDTH)
    spec.weight = torch.cat(parts)
    spec.bias = torch.cat([weights.get(f"{name}.bias", zero) for name in names])


def _attention(
    spec: attention_spec.MultiHeadAttentionSpec, weights: Weights, name: str, norm: str
) -> None:
    query, key, value = (f"{name}.{part}" for part in ("query", "key", "value"))
    _norm(spec.layer_norm, weights, norm)
    if len(spec.linear) == 3:  # cross-attention keeps the query apart
        _linear(spec.linear[0], weights, query)
        _linear(spec.linear[1], weights, key, value)
    else:
        _linear(spec.linear[0], weights, query, key, value)
    _linear(spec.linear[-1], weights, f"{name}.out")


def _layer(spec: Any, weights: Weights, name: str) -> None:
    _attention(spec.self_attention, weights, f"{name}.attention", f"{name}.attention_norm")
    if hasattr(spec, "attention"):
        _attention(spec.attention, weights, f"{name}.cross", f"{name}.cross_norm")
    _norm(spec.ffn.layer_norm, weights, f"{name}.norm")
    _linear(spec.ffn.linear_0, weights, f"{name}.up")
    _linear(spec.ffn.linear_1, weights, f"{name}.down")


def specification(weights: Weights) -> whisper_spec.WhisperSpec:
    """Return the weights in the form that CTranslate2 saves."""
    spec = _Whisper(model.ENCODER_LAYERS, model.HEADS, model.DECODER_LAYERS, model.HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    for part, name in ((encoder.conv1, "conv1"), (encoder.conv2, "conv2")):
        part.weight, part.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    encoder.position_encodings.encodings = weights["encoder_positions"]
    decoder.position_encodings.encodings = weights["decoder_positions"]
    decoder.embeddings.weight = weights["embedding.weight"]
    decoder.projection.weight = decoder.embeddings.weight
    _norm(encoder.layer_norm, weights, "encoder_norm")
    _norm(decoder.layer_norm, weights, "decoder_norm")
    for name, layers in (("encoder", encoder.layer), ("decoder", decoder.layer)):
        for index, layer in enumerate(layers):
            _layer(layer, weights, f"{name}.{index}")
    return spec


def vocabulary(tokenizer: Path) -> list[str]:
    """Return every token's text in order of id, the times included."""
    known = Tokenizer.from_file(str(tokenizer)).get_vocab()
    texts = sorted(known, key=known.__getitem__)
    return texts + [f"<|{index * 0.02:.2f}|>" for index in range(tokens.TIMESTAMPS)]


def main(work: Path, output: Path) -> None:
    """Write the model folder from work/model.pt with work/tokenizer.json."""
    weights: Weights = torch.load(work / "model.pt", weights_only=True)
    spec = specification({name: value.float() for name, value in weights.items()})
    spec.register_vocabulary(vocabulary(work / "tokenizer.json"))
    spec.validate()
    spec.optimize(quantization="int8_float16")
    output.mkdir(parents=True, exist_ok=True)
    spec.save(str(output))
    shutil.copy(work / "tokenizer.json", output)
    (output / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR) + "\n")
    size = sum(file.stat().st_size for file in output.iterdir())
    print(f"{output}: {size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
