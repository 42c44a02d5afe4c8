"""The tokens that a Whisper decode starts from."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.transcriber.reading import Listener, decoder_of, read, read_one
from tests.unit.transcriber.sound import clip, loud, transcripts

from steno_transcriber.domain.fitting import PROMPT_LENGTHS
from steno_transcriber.domain.hypothesis import Options, Task, Window
from steno_transcriber.engines.whisper import WhisperEngine
from steno_transcriber.engines.whisper_prompt import Prompts

AUDIO = loud(32_000)
HALF = 223
"""Tokens that the model has room for before the start of its text."""


@pytest.fixture
def english(fit_whisper: WhisperEngine) -> Prompts:
    return decoder_of(fit_whisper).prompts


@pytest.fixture
def many(babel: WhisperEngine) -> Prompts:
    return decoder_of(babel).prompts


def token(prompts: Prompts, text: str) -> int:
    number: int = prompts._model.hf_tokenizer.token_to_id(text)
    return number


def ids(prompts: Prompts, text: str) -> list[int]:
    return list(prompts._model.hf_tokenizer.encode(text, add_special_tokens=False).ids)


def test_an_english_model_is_told_no_language(english: Prompts) -> None:
    assert english.start((), "en", None) == [token(english, "<|startoftranscript|>")]
    assert english.start((7, 8), "en", None) == [
        token(english, "<|startofprev|>"), 7, 8, token(english, "<|startoftranscript|>"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "told"),
    [(None, "transcribe"), ("transcribe", "transcribe"), ("translate", "translate")],
)
def test_a_model_of_many_languages_is_told_language_and_task(
    many: Prompts, task: Task | None, told: str
) -> None:
    assert many.start((), "de", task) == [
        token(many, text) for text in ("<|startoftranscript|>", "<|de|>", f"<|{told}|>")
    ]


def test_hotwords_come_whole_and_first_then_the_end_of_prompt_and_text(many: Prompts) -> None:
    options = Options(hotwords="ada lovelace", prompt="names and terms")
    text = "what was said before " * 3
    hot, said = ids(many, " ada lovelace"), ids(many, f" names and terms {text.strip()}")
    before = many.before(Window(AUDIO, prompt=text, options=options))
    kept = len(before) - len(hot)
    assert before == (*hot, *said[-kept:])
    assert kept in PROMPT_LENGTHS
    assert kept >= len(said) / 2


def test_a_partial_does_without_the_text_before(many: Prompts) -> None:
    options = Options(hotwords="ada lovelace", prompt="names and terms")
    partial = Window(AUDIO, prompt="text " * 40, options=options, final=False)
    assert many.before(partial) == many.before(Window(AUDIO, options=options))
    assert many.before(Window(AUDIO, prompt="text", final=False)) == ()


def test_another_search_without_a_prompt_keeps_the_hotwords(many: Prompts) -> None:
    options = Options(hotwords="ada lovelace", prompt="names and terms")
    window = Window(AUDIO, prompt="text " * 40, options=options)
    assert many.before(window, prompted=False) == tuple(ids(many, " ada lovelace"))
    assert many.before(Window(AUDIO, prompt="text " * 40), prompted=False) == ()


@pytest.mark.parametrize(("hotwords", "kept"), [(0, 128), (100, 64), (222, 1), (223, 0), (300, 0)])
def test_many_hotwords_leave_less_room_for_the_text_before(
    many: Prompts, hotwords: int, kept: int
) -> None:
    options = Options(hotwords="a " * hotwords)
    before = many.before(Window(AUDIO, prompt="b " * 400, options=options))
    favoured, said = ids(many, " a")[0], ids(many, " b")[0]
    assert before == (favoured,) * min(hotwords, HALF) + (said,) * kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(hotwords=st.text("ab ", max_size=600), said=st.text("ab .", max_size=600))
def test_there_is_always_room_for_the_text(many: Prompts, hotwords: str, said: str) -> None:
    before = many.before(Window(AUDIO, prompt=said, options=Options(hotwords=hotwords)))
    favoured = ids(many, f" {hotwords.strip()}")[:HALF] if hotwords.strip() else []
    assert before[: len(favoured)] == tuple(favoured)
    assert len(before) <= HALF
    assert len(before) - len(favoured) in PROMPT_LENGTHS


async def test_the_model_is_given_all_of_it(
    babel: WhisperEngine, many: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(many._model.model)
    monkeypatch.setattr(many._model, "model", listener)
    options = Options(language="fr", task="translate", hotwords="ada", prompt="a few more names")
    window = Window(AUDIO, options=options)
    await babel.decode([window])
    sequence = ("<|startoftranscript|>", "<|fr|>", "<|translate|>")
    assert listener.prompts == [
        [
            token(many, "<|startofprev|>"),
            *ids(many, " ada"),
            *many.before(window)[len(ids(many, " ada")) :],
            *(token(many, text) for text in sequence),
        ]
    ]
    assert len(listener.prompts[0]) > len(ids(many, " ada")) + 4


async def test_a_language_is_found_only_where_none_is_told(
    babel: WhisperEngine, many: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(many._model.model)
    monkeypatch.setattr(many._model, "model", listener)
    told = [Window(AUDIO, options=Options(language=each)) for each in ("de", "pt-br", "JA")]
    heard = await read(babel, told)
    assert [each.language for each in heard] == ["de", "pt", "ja"]
    assert [each.language_probability for each in heard] == [1.0] * 3
    assert listener.detected == 0
    other = Window(clip(next(iter(transcripts()))), options=Options(language="xx"))
    *mixed, found, unknown = await read(babel, [*told, Window(AUDIO), other])
    assert mixed == heard
    for each, window in ((found, Window(AUDIO)), (unknown, other)):
        assert each.language in many.languages
        assert 0 < each.language_probability < 1
        assert await read_one(babel, window) == each


async def test_the_language_found_is_the_one_that_is_read(
    babel: WhisperEngine, many: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(many._model.model)
    monkeypatch.setattr(many._model, "model", listener)
    heard = await read_one(babel, Window(AUDIO))
    assert listener.prompts[0][1] == token(many, f"<|{heard.language}|>")


async def test_to_an_english_model_everything_is_english(english: Prompts) -> None:
    assert [english.known(each) for each in ("de", None, "xx", "en-GB")] == ["en"] * 4
