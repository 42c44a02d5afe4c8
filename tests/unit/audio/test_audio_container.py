import io
import struct
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steno_audio import (
    AudioError,
    AudioFormat,
    ContainerDecoder,
    Encoding,
    decode_file,
    decoder_for,
    wav_bytes,
)
from steno_audio import container as container_module
from steno_audio import demuxer as demuxer_module

Encoded = Callable[[str], tuple[str, bytes]]


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def decoded(mime_type: str, chunks: list[bytes]) -> list[bytes]:
    """The PCM of each chunk, then that of the end."""
    with ContainerDecoder(AudioFormat.parse(mime_type)) as decoder:
        return [*(decoder.decode(chunk) for chunk in chunks), decoder.finish()]


def error_of(mime_type: str, chunks: list[bytes]) -> AudioError:
    with pytest.raises(AudioError) as caught:
        decoded(mime_type, chunks)
    return caught.value


def test_the_stream_gives_what_the_whole_file_gives(streamable: tuple[str, bytes]) -> None:
    mime_type, data = streamable
    whole = b"".join(decode_file(io.BytesIO(data)))
    streamed = b"".join(decoded(mime_type, pieces(data, 1 + len(data) // 12)))
    if mime_type == "audio/mpeg":
        # Only a seekable MP3 is cut at the end its header names: a stream has its last frame whole.
        assert streamed.startswith(whole[:-200])
        assert 0 <= len(streamed) - len(whole) < 1_152
    else:
        assert streamed == whole


def test_the_decoded_audio_is_the_signal(
    streamable: tuple[str, bytes], signal_at_16k: NDArray[np.float64]
) -> None:
    mime_type, data = streamable
    pcm = b"".join(decoded(mime_type, pieces(data, 5_000)))
    samples = np.frombuffer(pcm, "<i2") / 32768
    spectrum = np.fft.rfft(samples, 1 << 17) * np.fft.rfft(signal_at_16k, 1 << 17).conj()
    delay = int(np.argmax(np.fft.irfft(spectrum)))
    length = min(len(samples) - delay, len(signal_at_16k))
    likeness = np.corrcoef(samples[delay : delay + length], signal_at_16k[:length])[0, 1]
    # Bare AAC has no place to say how many samples the encoder put before the first.
    assert delay <= (700 if mime_type in ("audio/aac", "audio/mp4") else 1)
    assert likeness > 0.98  # that number need not be whole at 16 kHz


def test_the_same_chunks_give_the_same_pcm_for_each(streamable: tuple[str, bytes]) -> None:
    mime_type, data = streamable
    chunks = pieces(data, 1 + len(data) // 12)
    assert decoded(mime_type, chunks) == decoded(mime_type, chunks)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
@pytest.mark.parametrize("name", ["webm, live", "ogg, opus", "wav, stereo", "mp4, fragmented"])
def test_the_cuts_do_not_change_the_sum(name: str, encoded: Encoded, data: st.DataObject) -> None:
    mime_type, content = encoded(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    chunks = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True) if a < b]
    assert b"".join(decoded(mime_type, chunks)) == b"".join(decoded(mime_type, [content]))


@pytest.mark.parametrize(
    ("name", "late_ms"),
    [
        ("webm, live", 150),
        ("ogg, opus", 200),
        ("mp4, fragmented", 300),
        ("wav, stereo", 20),
        ("adts", 500),
    ],
)
def test_live_pieces_give_audio_promptly(name: str, late_ms: int, encoded: Encoded) -> None:
    mime_type, data = encoded(name)
    chunks = pieces(data, len(data) // 12)  # about 250 ms each
    milliseconds = np.cumsum([len(pcm) / 32 for pcm in decoded(mime_type, chunks)])[:12]
    behind = np.arange(1, 13) * 250 - milliseconds
    assert behind[2:].max() < late_ms


def test_one_byte_at_a_time_is_enough(encoded: Encoded) -> None:
    mime_type, data = encoded("webm, opus")
    start = data[:6_000]
    assert b"".join(decoded(mime_type, pieces(start, 1))) == b"".join(decoded(mime_type, [start]))


def test_a_wrong_declaration_is_corrected_by_the_bytes(encoded: Encoded) -> None:
    mime_type, data = encoded("ogg, opus")
    assert decoded("audio/webm", [data]) == decoded(mime_type, [data])
    assert decoded("application/octet-stream", [data]) == decoded(mime_type, [data])


@pytest.mark.parametrize(
    "mime_type",
    ["audio/webm", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_garbage_is_refused_promptly(mime_type: str, seed: int) -> None:
    garbage = np.random.default_rng(seed).bytes(300_000)
    begun = time.process_time()
    assert error_of(mime_type, pieces(garbage, 30_000)).code == "undecodable_audio"
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("mime_type", ["audio/mpeg", "audio/aac"])
def test_zeros_are_no_frames(mime_type: str) -> None:
    assert error_of(mime_type, [bytes(200_000)] * 2).code == "undecodable_audio"


@pytest.mark.parametrize("magic", [b"\x1a\x45\xdf\xa3", b"OggS", b"RIFF\x40\0\0\0WAVE", b"fLaC"])
def test_a_right_beginning_does_not_save_garbage(magic: bytes) -> None:
    garbage = magic + np.random.default_rng(3).bytes(200_000)
    error = error_of("application/octet-stream", pieces(garbage, 50_000))
    assert error.code == "undecodable_audio"


def test_an_error_stays() -> None:
    with ContainerDecoder(AudioFormat(Encoding.WEBM)) as decoder:
        for _ in range(3):
            with pytest.raises(AudioError):
                decoder.decode(b"certainly not WebM")
        with pytest.raises(AudioError):
            decoder.finish()


@pytest.mark.parametrize("name", ["webm, live", "ogg, opus", "flac, stereo", "mp3", "wav, stereo"])
def test_a_truncated_container_gives_what_it_holds(name: str, encoded: Encoded) -> None:
    mime_type, data = encoded(name)
    pcm = b"".join(decoded(mime_type, pieces(data[: len(data) // 2], 4_000)))
    assert 1.0 < len(pcm) / 32_000 < 1.7


def test_a_truncated_fragmented_mp4_gives_what_it_holds(encoded: Encoded) -> None:
    mime_type, data = encoded("mp4, fragmented")
    pcm = b"".join(decoded(mime_type, pieces(data[: len(data) // 2], 4_000)))
    assert 1.0 < len(pcm) / 32_000 < 1.7


def test_an_end_within_the_header_is_an_error(encoded: Encoded) -> None:
    mime_type, data = encoded("webm, opus")
    assert "within its header" in error_of(mime_type, [data[:60]]).message


def test_an_index_behind_the_audio_is_explained_at_once(encoded: Encoded) -> None:
    mime_type, data = encoded("mp4, index last")
    error = error_of(mime_type, [data[:200]])
    assert error.code == "undecodable_audio"
    assert "index (moov) after the audio" in error.message


def test_a_live_wav_has_no_length() -> None:
    samples = bytes(range(200))
    header = wav_bytes(b"")[:40]
    for size in (0, 0xFFFFFFFF):
        live = header + struct.pack("<I", size) + samples
        assert b"".join(decoded("audio/wav", pieces(live, 33))) == samples


def test_what_follows_the_samples_of_a_wav_is_no_audio() -> None:
    samples = bytes(range(200))
    assert b"".join(decoded("audio/wav", [wav_bytes(samples), b"LIST....", b"more"])) == samples


def test_no_input_is_no_audio() -> None:
    assert decoded("audio/webm", []) == [b""]
    assert decoded("audio/webm", [b""]) == [b"", b""]


def test_closing_gives_back_a_waiting_demuxer(encoded: Encoded) -> None:
    mime_type, data = encoded("webm, live")
    for size in (1, 100, 5_000):
        decoder = decoder_for(AudioFormat.parse(mime_type))
        decoder.decode(data[:size])
        assert any(thread.name == "steno-demuxer" for thread in threading.enumerate())
        decoder.close()
        decoder.close()
        assert not any(thread.name == "steno-demuxer" for thread in threading.enumerate())
        assert decoder.decode(data[size:]) == b""
        assert decoder.finish() == b""


def test_a_container_has_no_carry() -> None:
    assert ContainerDecoder(AudioFormat(Encoding.OGG)).carry is None
    with pytest.raises(ValueError, match="no carry"):
        decoder_for(AudioFormat(Encoding.OGG), b"carry")
    with pytest.raises(ValueError, match="raw audio"):
        ContainerDecoder(AudioFormat(Encoding.S16LE, 16_000, 1))


def test_input_without_audio_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_module, "MAX_BARREN_BYTES", 10_000)
    picture = b"ID3\x04\x00\x00\x00\x7f\x7f\x7f" + bytes(20_000)  # a tag of 2 MiB begins
    assert "no audio within 12000 bytes" in error_of("audio/mpeg", pieces(picture, 4_000)).message


def test_audio_from_one_chunk_has_a_limit(
    monkeypatch: pytest.MonkeyPatch, encoded: Encoded
) -> None:
    monkeypatch.setattr(demuxer_module, "MAX_CHUNK_SECONDS", 1)
    monkeypatch.setattr("steno_audio.frames._MAX_WAITING", 4_096)
    mime_type, data = encoded("webm, opus")
    decoded(mime_type, pieces(data, 2_000))
    with ContainerDecoder(AudioFormat.parse(mime_type)) as decoder:
        assert len(decoder.decode(data)) < 2 * 32_000
        with pytest.raises(AudioError, match="in one chunk"):
            decoder.finish()


def test_the_limit_of_one_chunk_may_be_a_decoders_own(
    monkeypatch: pytest.MonkeyPatch, encoded: Encoded
) -> None:
    monkeypatch.setattr("steno_audio.frames._MAX_WAITING", 4_096)
    mime_type, data = encoded("webm, opus")
    with ContainerDecoder(AudioFormat.parse(mime_type), max_chunk_seconds=1) as decoder:
        decoder.decode(data)
        with pytest.raises(AudioError, match="over 1 s of audio in one chunk"):
            decoder.finish()
