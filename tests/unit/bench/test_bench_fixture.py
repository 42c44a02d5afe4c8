import json
from pathlib import Path

import av
import numpy as np
import pytest
from bench.random_whisper import MARK
from bench.recognition.fixture import Spoken, read_clips, understands_speech


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    folder = tmp_path / "heldout"
    folder.mkdir()
    (folder / "transcripts.tsv").write_text("red\tRed lamp.\n")
    (folder / "words.json").write_text(json.dumps({"red": [["red", 100, 400], ["lamp", 500, 900]]}))
    with av.open(str(folder / "red.flac"), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        samples = np.arange(1_000, dtype=np.int16)[None, :]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return tmp_path


def test_a_clip_has_its_audio_its_text_and_its_words(fixture: Path) -> None:
    [clip] = read_clips(fixture)
    assert (clip.name, clip.text) == ("red", "Red lamp.")
    assert clip.words == (Spoken("red", 100, 400), Spoken("lamp", 500, 900))
    assert clip.audio.tolist() == list(range(1_000))


def test_words_must_be_known_for_every_clip(fixture: Path) -> None:
    (fixture / "heldout" / "words.json").write_text("{}")
    with pytest.raises(KeyError, match="red"):
        read_clips(fixture)


def test_a_folder_with_the_mark_of_random_weights_understands_nothing(tmp_path: Path) -> None:
    assert understands_speech(tmp_path)
    (tmp_path / MARK).write_text("{}")
    assert not understands_speech(tmp_path)
