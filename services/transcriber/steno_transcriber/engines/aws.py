"""The engine `aws`: Amazon Transcribe streaming, by whichever of its SDKs is installed."""

import os
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from steno_common.settings import load
from steno_common.units import to_samples
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.tiling import Patience
from steno_transcriber.engines.aws_request import request
from steno_transcriber.engines.aws_sdk import Sdk, Where
from steno_transcriber.engines.aws_settings import AwsSettings
from steno_transcriber.engines.base import EngineUnavailable, Stream, StreamRules
from steno_transcriber.settings import RecognitionSettings

SDKS: Final = {
    "amazon_transcribe": "steno_transcriber.engines.aws_amazon_transcribe",
    "aws_sdk_transcribe_streaming": "steno_transcriber.engines.aws_transcribe_streaming",
}
"""By the package: who speaks to it; the first that is installed is taken."""


@dataclass(frozen=True, slots=True)
class AwsEngine:
    """Opens streams as the settings ask for them."""

    settings: AwsSettings
    rules: StreamRules
    sdk: Sdk
    name: str = "aws"

    async def open(self, options: Options) -> Stream:
        """Open a stream."""
        return await self.sdk.open(request(self.settings, options))

    async def aclose(self) -> None:
        """Nothing is open but streams, which are closed by who opened them."""


async def open_engine(_settings: RecognitionSettings) -> AwsEngine:
    """Give the engine once there are an SDK, credentials, a region. Raises EngineUnavailable."""
    settings = load(AwsSettings)
    region = (
        settings.aws_region
        or os.environ.get("AWS_REGION", "")
        or os.environ.get("AWS_DEFAULT_REGION", "")
    )
    if not region:
        raise EngineUnavailable("engine aws: no region; set STENO_AWS_REGION")
    module = next((module for package, module in SDKS.items() if find_spec(package)), None)
    if module is None:
        raise EngineUnavailable("engine aws is not installed: pip install 'steno-transcriber[aws]'")
    where = Where(region, settings.aws_endpoint, settings.aws_ca_file)
    sdk: Sdk = await import_module(module).open_sdk(where)
    return AwsEngine(settings, rules(settings), sdk)


def rules(settings: AwsSettings) -> StreamRules:
    """Give the limits of the service as far as the settings say."""
    return StreamRules(
        max_streams=settings.aws_max_streams,
        connect_seconds=settings.aws_connect_seconds,
        pace=settings.aws_pace,
        tries=settings.aws_tries,
        patience=Patience(stream=to_samples(settings.aws_max_stream_seconds)),
    )
