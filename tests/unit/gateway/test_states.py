"""Actions lead only where the table of the protocol says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.states import OVER, Action, after, allowed

STATES = ("connecting", "connected", "recording", "paused", "reconnecting",
          "finalizing", "completed", "error")  # fmt: skip
ACTIONS: tuple[Action, ...] = ("start", "pause", "resume", "stop", "finalize")

LEGAL = {
    ("start", "connected"): "recording",
    ("start", "recording"): "recording",
    ("pause", "recording"): "paused",
    ("pause", "paused"): "paused",
    ("resume", "paused"): "recording",
    ("resume", "recording"): "recording",
    ("stop", "connected"): "finalizing",
    ("stop", "recording"): "finalizing",
    ("stop", "paused"): "finalizing",
    ("stop", "finalizing"): "finalizing",
    ("stop", "completed"): "completed",
    ("stop", "error"): "error",
    ("finalize", "recording"): "recording",
    ("finalize", "paused"): "paused",
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_an_action_leads_where_the_table_says_or_is_refused(action: Action, state: str) -> None:
    if (action, state) in LEGAL:
        assert after(action, state) == LEGAL[action, state]
        return
    with pytest.raises(ClientError) as caught:
        after(action, state)
    assert (caught.value.code, caught.value.fault.close) == ("illegal_transition", None)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_the_store_is_asked_is_what_the_rule_allows(action: Action) -> None:
    changing = {state for (name, state), to in LEGAL.items() if name == action and to != state}
    assert allowed(action) >= changing


@given(st.lists(st.sampled_from(ACTIONS), max_size=20), st.sampled_from(sorted(OVER)))
def test_nothing_has_an_effect_after_a_session_is_over(actions: list[Action], state: str) -> None:
    for action in actions:
        if action == "stop":
            assert after(action, state) == state
        else:
            with pytest.raises(ClientError, match="is not possible while"):
                after(action, state)


@given(st.sampled_from(ACTIONS), st.sampled_from(STATES))
def test_an_action_repeated_changes_nothing(action: Action, state: str) -> None:
    try:
        reached = after(action, state)
    except ClientError:
        return
    assert after(action, reached) == reached
