"""Audio of any format to 16 kHz mono PCM, cut-independent."""

from steno_audio.container import ContainerDecoder
from steno_audio.decoder import Decoder, decoder_for
from steno_audio.errors import AudioError, AudioErrorCode
from steno_audio.files import AudioSource, decode_file, file_samples
from steno_audio.formats import AudioFormat, Encoding
from steno_audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from steno_audio.raw import RawDecoder
from steno_audio.resample import StreamResampler
from steno_audio.sniff import guess_mime_type
from steno_audio.wav import wav_bytes

__all__ = [
    "BYTES_PER_SAMPLE",
    "SAMPLE_RATE",
    "AudioError",
    "AudioErrorCode",
    "AudioFormat",
    "AudioSource",
    "ContainerDecoder",
    "Decoder",
    "Encoding",
    "RawDecoder",
    "StreamResampler",
    "decode_file",
    "decoder_for",
    "file_samples",
    "guess_mime_type",
    "wav_bytes",
]
