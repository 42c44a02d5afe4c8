"""Log-mel features as Whisper computes them, for a whole batch at once."""

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from torch import Tensor

MELS = 80


class LogMel:
    """Turns audio (rows, samples) into features (rows, 80, samples / 160)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._filters = torch.from_numpy(FeatureExtractor().mel_filters)
        self._window = torch.hann_window(400)
        self._rng = rng

    def __call__(self, audio: Tensor, *, vary: bool = False) -> Tensor:
        """Compute the features; `vary` colours them and lifts the floor as louder audio would."""
        spectrum = torch.stft(audio, 400, 160, window=self._window, return_complex=True)
        power = self._filters @ spectrum[..., :-1].abs() ** 2
        log = torch.log10(torch.clamp(power, min=1e-10))
        rows = len(log)
        top = log.amax(dim=(1, 2), keepdim=True)
        if vary:
            log = log + self._colour(rows) * (log > -9.9)
            lift = np.maximum(self._rng.uniform(-2, 1, rows), 0)
            top = top + torch.from_numpy(lift).float()[:, None, None]
        return (torch.maximum(log, top - 8.0) + 4.0) / 4.0

    def _colour(self, rows: int) -> Tensor:
        knots = self._rng.uniform(-0.35, 0.35, (rows, 5)) * (self._rng.random((rows, 1)) < 0.5)
        grid = np.linspace(0, 4, MELS)
        curves = np.stack([np.interp(grid, np.arange(5), row) for row in knots])
        return torch.from_numpy(curves).float()[:, :, None]
