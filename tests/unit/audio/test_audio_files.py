import io
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from steno_audio import AudioError, AudioFormat, ContainerDecoder, decode_file, file_samples

Encoded = Callable[[str], tuple[str, bytes]]

SHARED_AUDIO = Path(__file__).parents[4] / "shared" / "audio"


def test_blocks_are_equal_and_only_the_last_is_shorter(encoded: Encoded) -> None:
    _, data = encoded("flac, stereo")
    sizes = [len(block) for block in decode_file(io.BytesIO(data), block_samples=7_000)]
    assert sizes == [14_000] * 6 + [12_000]


def test_the_block_size_does_not_change_the_audio(encoded: Encoded) -> None:
    _, data = encoded("mp3")
    pcm = b"".join(decode_file(io.BytesIO(data)))
    assert pcm == b"".join(decode_file(io.BytesIO(data), block_samples=333))
    assert pcm == b"".join(decode_file(io.BytesIO(data), block_samples=10**9))


def test_a_path_and_an_open_file_are_the_same(encoded: Encoded, tmp_path: Path) -> None:
    _, data = encoded("mp4, index last")
    path = tmp_path / "talk.m4a"
    path.write_bytes(data)
    file = io.BytesIO(data)
    pcm = b"".join(decode_file(path))
    assert pcm == b"".join(decode_file(str(path))) == b"".join(decode_file(file))
    assert 2.9 < len(pcm) / 32_000 < 3.1
    assert not file.closed


def test_a_file_says_how_long_it_is(encoded: Encoded) -> None:
    assert file_samples(io.BytesIO(encoded("flac, stereo")[1])) == 48_000
    assert file_samples(io.BytesIO(encoded("webm, live")[1])) is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"nothing\.wav: No such file") as caught:
        next(decode_file(tmp_path / "nothing.wav"))
    assert caught.value.code == "undecodable_audio"


@pytest.mark.parametrize("content", [b"", b"not audio", bytes(10_000)])
def test_what_is_no_audio_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    for use in (file_samples, lambda file: next(decode_file(file))):
        with pytest.raises(AudioError) as caught:
            use(path)
        assert caught.value.code == "undecodable_audio"


def test_a_film_without_sound_has_no_audio_stream(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="no audio stream"):
        next(decode_file(path))


def test_a_playlist_opens_nothing(tmp_path: Path, encoded: Encoded) -> None:
    (tmp_path / "secret.wav").write_bytes(encoded("wav, stereo")[1])
    path = tmp_path / "list.m3u8"
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3600\n#EXTINF:3,\nfile://{tmp_path}/secret.wav\n"
    )
    with pytest.raises(AudioError):  # FFmpeg would wait for an hour to look into it again
        next(decode_file(path))


def test_a_truncated_file_gives_what_it_holds(encoded: Encoded) -> None:
    _, data = encoded("ogg, opus")
    pcm = b"".join(decode_file(io.BytesIO(data[: len(data) // 2])))
    assert 1.0 < len(pcm) / 32_000 < 1.7


def test_a_block_has_a_size() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        next(decode_file(io.BytesIO(b""), block_samples=0))


@pytest.mark.skipif(not SHARED_AUDIO.is_dir(), reason="no recorded speech beside the project")
@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("jfk.flac", "audio/flac"), ("jfk.mp3", "audio/mpeg"), ("librivox-0880.wav", "audio/wav")],
)
def test_recorded_speech_streams_as_it_reads(name: str, mime_type: str) -> None:
    data = (SHARED_AUDIO / name).read_bytes()
    with ContainerDecoder(AudioFormat.parse(mime_type)) as decoder:
        chunks = [data[at : at + 8_000] for at in range(0, len(data), 8_000)]
        streamed = b"".join(map(decoder.decode, chunks)) + decoder.finish()
    whole = b"".join(decode_file(SHARED_AUDIO / name))
    assert streamed.startswith(whole)
    assert len(streamed) - len(whole) <= 4 * 1_152
