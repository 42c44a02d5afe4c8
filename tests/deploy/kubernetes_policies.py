"""The table of policies: every public rule of these modules, by its name."""

from collections.abc import Callable, Iterator
from typing import Final

from tests.deploy import (
    kubernetes_network,
    kubernetes_pods,
    kubernetes_redis,
    kubernetes_running,
    kubernetes_scaling,
    kubernetes_wiring,
)
from tests.deploy.kubernetes_objects import Rendered

from steno_common.errors import SettingsError

Policy = Callable[[Rendered], Iterator[str]]

POLICIES: Final[dict[str, Policy]] = {
    name: rule
    for module in (
        kubernetes_pods,
        kubernetes_wiring,
        kubernetes_network,
        kubernetes_running,
        kubernetes_scaling,
        kubernetes_redis,
    )
    for name, rule in vars(module).items()
    if not name.startswith("_") and getattr(rule, "__module__", "") == module.__name__
}

_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError,
                      ExceptionGroup, SettingsError)  # fmt: skip


def complaints(policy: Policy, rendered: Rendered) -> list[str]:
    """Give what a policy finds wrong; what it cannot even read is wrong too."""
    try:
        return list(policy(rendered))
    except _UNREADABLE as error:
        return [f"cannot be read: {error!r}"]
