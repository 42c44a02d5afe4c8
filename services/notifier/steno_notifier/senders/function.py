"""Calls of a function of AWS Lambda, which nobody waits for."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from steno_common import tracing
from steno_common.destinations import DestinationSettings
from steno_notifier.domain.answers import judge, judge_aws
from steno_notifier.domain.outgoing import Verdict

CONNECTIONS: Final = 100


class Function:
    """A function that takes a payload; credentials come from where AWS tools look for them."""

    def __init__(self, settings: DestinationSettings) -> None:
        self._settings = settings
        self._held = AsyncExitStack()
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def invoke(self, payload: bytes) -> Verdict:
        """Call it once; AWS answers when it has taken the call, before the function runs."""
        try:
            client = await self._open()
            answer = await client.invoke(
                FunctionName=self._settings.translation_pipeline_function_name,
                InvocationType="Event", Payload=payload,
            )  # fmt: skip
            # Until it is read, empty as it is, its connection serves nobody else.
            async with answer["Payload"] as said:
                await said.read()
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            tracing.note(status=status)
            return judge_aws(str(error.response.get("Error", {}).get("Code", "")), status)
        except (BotoConnectionError, HTTPClientError):
            return Verdict("again", "aws_unreachable")
        except BotoCoreError as error:
            return Verdict("never", f"aws_{type(error).__name__}")
        tracing.note(status=answer["StatusCode"])
        return judge(answer["StatusCode"], refusal_is_final=True)

    async def _open(self) -> Any:
        async with self._opening:
            if self._client is None:
                settings = self._settings
                # A second try of the SDK's own would come on top of the plan's.
                config = AioConfig(
                    retries={"total_max_attempts": 1}, max_pool_connections=CONNECTIONS,
                    connect_timeout=settings.delivery_seconds,
                    read_timeout=settings.delivery_seconds,
                )  # fmt: skip
                self._client = await self._held.enter_async_context(
                    get_session().create_client(
                        "lambda", config=config, region_name=settings.aws_region or None,
                        endpoint_url=settings.lambda_endpoint_url or None,
                    )
                )  # fmt: skip
        return self._client

    async def aclose(self) -> None:
        """Close the connections."""
        await self._held.aclose()
