import msgspec
from bench.recognition.plan import Placed, Plan
from bench.recognition.quality import Quality, faults, judge_words, lost_clips, word_faults
from bench.recognition.seen import SeenFinal, SeenSession, SeenWord
from bench.recognition.word_errors import WordErrors
from tests.unit.bench.clips import CLIPS

PLAN = Plan((Placed(0, 16_000), Placed(1, 64_000)), 112_000)
"""`red lamp` at 1.25 to 1.75 s, `blue` at 4.5 to 5.5 s, 7 s in all."""


def final(event: int, text: str, *words: tuple[str, float, float]) -> SeenFinal:
    seen = [SeenWord(*word) for word in words]
    return SeenFinal(9.0, event, 9, seen[0].start, seen[-1].end, text, seen)


FINALS = [
    final(2, "Red lamp.", ("Red", 1.2, 1.5), ("lamp.", 1.5, 1.7)),
    final(3, "Blue.", ("Blue.", 4.6, 5.4)),
]
STATISTICS = {
    "received_samples": 112_000.0,
    "transcribed_samples": 40_000.0,
    "silence_samples": 72_000.0,
    "finals": 2.0,
}


def session(**changes: object) -> SeenSession:
    seen = SeenSession(3, 0.0, finals=FINALS, completed=True, statistics=STATISTICS)
    return msgspec.structs.replace(seen, **changes)


def test_a_session_that_lost_nothing_has_no_faults() -> None:
    assert list(faults(session(), PLAN)) == []


def test_each_loss_is_named() -> None:
    less = STATISTICS | {"silence_samples": 71_999.0, "finals": 3.0}
    assert list(faults(session(statistics=less, faults=["internal: oh"]), PLAN)) == [
        "session 3: internal: oh",
        "session 3: 112000 samples sent, 112000.0 received, 111999.0 accounted for",
        "session 3: 3.0 finals made, 2 seen",
    ]
    assert list(faults(session(completed=False), PLAN)) == ["session 3: not completed"]


def test_finals_out_of_order_are_named() -> None:
    assert list(faults(session(finals=FINALS[::-1]), PLAN)) == [
        "session 3: final 2 at 1.2 s is out of order"
    ]


def test_words_are_compared_with_the_truth_and_with_offline_decoding() -> None:
    offline = {"h0": "Red lamb.", "h1": "Blue."}
    assert judge_words(session(), PLAN, CLIPS, offline) == Quality(
        truth=WordErrors(3, 0, 0, 0),
        offline_truth=WordErrors(3, 1, 0, 0),
        offline=WordErrors(3, 1, 0, 0),
        lost_clips=0,
    )


def test_a_clip_without_a_word_is_lost_even_if_the_next_has_many() -> None:
    many = final(3, "a b c", ("a", 4.5, 4.8), ("b", 4.8, 5.1), ("c", 5.1, 5.5))
    assert lost_clips(session(finals=[many]), PLAN, CLIPS) == 1
    assert lost_clips(session(finals=[]), PLAN, CLIPS) == 2
    assert lost_clips(session(), PLAN, CLIPS) == 0


def test_more_errors_than_offline_decoding_are_a_fault_beyond_the_allowed_points() -> None:
    quality = Quality(WordErrors(100, 4, 0, 1), WordErrors(100, 3, 0, 0), lost_clips=0)
    assert list(word_faults(quality, 2.0)) == []
    assert list(word_faults(quality, 1.0)) == ["error rate 2.0 points above offline decoding"]
    assert list(word_faults(Quality(lost_clips=2), 1.0)) == ["2 clips without a word"]
