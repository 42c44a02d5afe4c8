"""The tokenizer: a byte-level BPE over the grammar followed by Whisper's special tokens."""

import random
import sys
from functools import cache
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from grammar import SLOTS, sentence, vocabulary

TEXT_TOKENS = 896
SPECIAL = (
    "<|endoftext|> <|startoftranscript|> <|en|> <|translate|> <|transcribe|> <|startoflm|> "
    "<|startofprev|> <|nospeech|> <|notimestamps|>"
).split()
EOT, SOT, EN, TRANSLATE, TRANSCRIBE, START_OF_LM, START_OF_PREV, NO_SPEECH, NO_TIMESTAMPS = range(
    TEXT_TOKENS, TEXT_TOKENS + len(SPECIAL)
)
FIRST_TIMESTAMP = NO_TIMESTAMPS + 1  # <|0.00|>, then steps of 20 ms up to <|30.00|>
TIMESTAMPS = 1501
SIZE = FIRST_TIMESTAMP + TIMESTAMPS
SAMPLES_PER_STEP = 320


def timestamp(sample: int) -> int:
    """Return the token of a time given in samples at 16 kHz, clamped to 0-30 s."""
    return FIRST_TIMESTAMP + min(max(round(sample / SAMPLES_PER_STEP), 0), TIMESTAMPS - 1)


def build(path: Path) -> None:
    """Train the BPE and write tokenizer.json."""
    rng = random.Random(1)
    corpus = [" " + sentence(rng) for _ in range(20000)]
    words = sorted(vocabulary() | {word for line in SLOTS.values() for word in line.split()})
    corpus += [f" {form}" for word in words for form in (word, word.capitalize())] * 60
    # Decoders suppress the first token of these three; merged, that is never the bare space.
    corpus += [" -", " '", " ♪"] * 2000
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TEXT_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    if tokenizer.get_vocab_size() != TEXT_TOKENS:
        raise ValueError(f"the BPE has {tokenizer.get_vocab_size()} tokens, not {TEXT_TOKENS}")
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    tokenizer.save(str(path))


class Text:
    """Encoding of words; a word keeps its punctuation and gets a leading space."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self.word = cache(self._word)

    def _word(self, word: str) -> list[int]:
        return list(self._tokenizer.encode(" " + word, add_special_tokens=False).ids)

    def words(self, words: list[str]) -> list[int]:
        """Return the tokens of several words one after the other."""
        return [token for word in words for token in self.word(word)]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
