"""Rules of translators: texts in other languages come back, once or twice, early or very late."""

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contract.machine.bench import SESSIONS, cuts, some
from tests.contract.machine.losses import LossyMachine
from tests.contract.machine.worker import Cut

from steno_common.messages import Final, Translation

languages = st.sampled_from(["es", "fr"])


class TranslatedMachine(LossyMachine):
    """Everybody at random, with translators beside them."""

    @rule(which=some, what=some, language=languages, text=st.sampled_from(["one", "two"]),
          epoch=st.sampled_from(["", "", "present", "past"]), times=st.integers(1, 2))  # fmt: skip
    def translate(
        self, which: int, what: int, language: str, text: str, epoch: str, times: int
    ) -> None:
        sid = self.sid(which)
        events = self.model.state(sid).events
        finals = [n for n, event in enumerate(events, 1) if isinstance(event, Final)]
        # None in particular, any event that there may be, a final that there is.
        event = 0 if what < 3 else what if what < 6 or not finals else finals[what % len(finals)]
        known = {"present": self.model.state(sid).epoch}.get(epoch, epoch)
        for _ in range(times):
            self.touch("translate", sid, Translation(language, text, event, 7), known)

    @rule(which=some, cut=cuts, language=languages, late=st.booleans())
    def translate_what_is_said(self, which: int, cut: Cut, language: str, late: bool) -> None:
        self.burst(which, Cut(1, 0, 0, speech=True))
        if late:
            self.finish(which)
        for what, text in ((0, "one"), (0, "two"), (0, "two"), (8, "one"), (8, "two")):
            self.translate(which, what, language, text, "present", 1)
        if not late:
            self.work_on(self.sid(which), cut)

    @rule(which=some, language=languages)
    def translate_too_much(self, which: int, language: str) -> None:
        for text in 5 * ("one", "two"):
            self.translate(which, 0, language, text, "present", 1)

    @rule(language=languages)
    def translate_before_all(self, language: str) -> None:
        self.create(again=False)
        self.translate(min(len(self.promises), SESSIONS) - 1, 0, language, "one", "", 1)

    @rule(which=some, cut=cuts, language=languages)
    def lose_translations(self, which: int, cut: Cut, language: str) -> None:
        self.translate_what_is_said(which, cut, language, late=False)
        self.keep(which)
        self.lost(self.sid(which))
        self.restore(which)
        for what in (0, 8):
            self.translate(which, what, language, "one", "", 1)
