"""The bytes of a stream's audio as samples of its channels."""

from typing import Final

import numpy as np
from tests.fake_transcribe.errors import UNDECODABLE, bad_request
from tests.fake_transcribe.parameters import Parameters

from steno_audio import AudioError, AudioFormat, Decoder, Encoding, decoder_for
from steno_transcriber.domain.samples import Samples, from_bytes

_ENCODINGS: Final = {
    "pcm": Encoding.S16LE,
    "g711-alaw": Encoding.ALAW,
    "g711-ulaw": Encoding.MULAW,
    "ogg-opus": Encoding.OGG,
    "flac": Encoding.FLAC,
}


class Ears:
    """Hears every channel apart, at 16,000 Hz. Raises ServiceError for what it cannot decode."""

    def __init__(self, parameters: Parameters) -> None:
        encoding = _ENCODINGS.get(parameters.encoding)
        if encoding is None:
            raise bad_request(f"This fake does not decode {parameters.encoding}.")
        contained = AudioFormat(encoding) if encoding in (Encoding.OGG, Encoding.FLAC) else None
        if contained is not None and parameters.channels > 1:
            raise bad_request("This fake parts channels of raw audio only.")
        form = contained or AudioFormat(encoding, parameters.rate, 1)
        self._width = form.frame_bytes
        self._decoders: list[Decoder] = [decoder_for(form) for _ in range(parameters.channels)]

    def hear(self, data: bytes) -> list[Samples]:
        """Give what each channel holds of an event's audio; no sample lies in two events."""
        if self._width and len(data) % (self._width * len(self._decoders)):
            raise bad_request(UNDECODABLE)
        try:
            return [
                from_bytes(decoder.decode(piece))
                for decoder, piece in zip(self._decoders, self._parted(data), strict=True)
            ]
        except AudioError as error:
            raise bad_request(UNDECODABLE) from error

    def finish(self) -> list[Samples]:
        """Give what was held back."""
        try:
            return [from_bytes(decoder.finish()) for decoder in self._decoders]
        except AudioError as error:
            raise bad_request(UNDECODABLE) from error

    def close(self) -> None:
        """Give back what the decoders hold."""
        for decoder in self._decoders:
            decoder.close()

    def _parted(self, data: bytes) -> list[bytes]:
        count = len(self._decoders)
        if count == 1:
            return [data]
        frames = np.frombuffer(data, np.uint8).reshape(-1, count, self._width)
        return [frames[:, channel].tobytes() for channel in range(count)]
