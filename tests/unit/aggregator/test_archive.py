"""Transcripts are saved whole, listed newest first, and found by either id."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.archive import FORMATS, Archive, transcript_id
from steno_common.errors import SettingsError

SESSION = "0b0f8a52-6d0f-4f39-9d8f-3f1f6f6f0001"
CREATED_MS = 1_700_000_000_123


def files(session_id: str, text: str = "hello") -> dict[str, bytes]:
    document = {
        "session_id": session_id,
        "start_time": "2023-11-14T22:13:20.123Z",
        "duration_seconds": 1.5,
        "language": "en",
        "text": text,
        "segments": [],
    }
    shown = {form: b"a " + form.encode() for form in FORMATS}
    return shown | {"json": json.dumps(document).encode()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["folder", "memory"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    yield Archive(str(tmp_path / "output") if request.param == "folder" else "memory://output")
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def save(archive: Archive, *sessions: str) -> list[str]:
    return [
        archive.save(session, CREATED_MS + 1000 * n, files(session))
        for n, session in enumerate(sessions)
    ]


def test_files_are_named_after_the_start_of_the_session(tmp_path: Path) -> None:
    Archive(str(tmp_path)).save(SESSION, CREATED_MS, files(SESSION))

    name = f"transcripcion_20231114T221320123Z_{SESSION}"
    assert names(tmp_path) == [
        f"{name}.json", f"{name}.srt", f"{name}.txt", f"{name}.vtt",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["txt", "srt", "vtt"])
def test_a_transcript_is_read_by_its_id_and_by_its_sessions(archive: Archive, form: str) -> None:
    (name,) = save(archive, SESSION)

    assert archive.read(name, form) == archive.read(SESSION, form) == b"a " + form.encode()


def test_an_entry_shows_the_beginning_of_the_document(archive: Archive) -> None:
    name = archive.save(SESSION, CREATED_MS, files(SESSION, "word " * 100))

    assert archive.entries() == [
        {
            "id": name,
            "session_id": SESSION,
            "start_time": "2023-11-14T22:13:20.123Z",
            "duration_seconds": 1.5,
            "language": "en",
            "text": "word " * 40,
        }
    ]


def test_the_newest_come_first_page_by_page(archive: Archive) -> None:
    save(archive, "a", "b", "c", "d", "e")

    first = archive.entries(limit=2)
    second = archive.entries(limit=2, before=first[-1]["id"])
    third = archive.entries(limit=2, before=second[-1]["session_id"])

    assert [[entry["session_id"] for entry in page] for page in (first, second, third)] == [
        ["e", "d"], ["c", "b"], ["a"],
    ]  # fmt: skip


def test_a_page_goes_on_behind_a_transcript_that_was_deleted(archive: Archive) -> None:
    save(archive, "a", "b", "c")
    (newest,) = archive.entries(limit=1)
    assert archive.delete(newest["id"])

    assert [entry["session_id"] for entry in archive.entries(before=newest["id"])] == ["b", "a"]


def test_a_page_reads_only_its_own_documents(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(archive, "a", "b", "c", "d", "e")
    read: list[str] = []
    original = archive._filesystem.cat_file
    monkeypatch.setattr(
        archive._filesystem, "cat_file", lambda path: (read.append(path), original(path))[1]
    )

    archive.entries(limit=2)

    assert len(read) == 2


def test_a_document_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    save(archive, "a", "b")
    (tmp_path / "transcripcion_20240101T000000000Z_broken.json").write_text("{")
    (tmp_path / "notes.json").write_text("{}")

    assert [entry["session_id"] for entry in archive.entries(limit=2)] == ["b", "a"]


def test_nothing_saved_is_an_empty_list(archive: Archive) -> None:
    assert archive.entries() == []
    assert archive.entries(before=SESSION) == []
    assert archive.read(SESSION, "txt") is None
    assert archive.delete(SESSION) is False


def test_deleting_removes_every_file(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    save(archive, SESSION)

    assert archive.delete(SESSION) is True
    assert names(tmp_path) == []
    assert archive.delete(SESSION) is False


@pytest.mark.parametrize("name", ["../secret", "..", "", "a/b", "a\n", "a.json", "a\x00", "x" * 65])
def test_a_name_that_is_no_id_finds_nothing(tmp_path: Path, name: str) -> None:
    archive = Archive(str(tmp_path / "output"))
    (tmp_path / "secret.json").write_text("{}")
    archive.prepare()

    assert archive.read(name, "json") is None
    assert archive.delete(name) is False
    assert archive.entries(before=name) == []
    with pytest.raises(ValueError, match="not an id"):
        archive.save(name, CREATED_MS, files(SESSION))


@given(name=st.text(), form=st.text())
def test_only_files_of_transcripts_are_ever_opened(name: str, form: str) -> None:
    archive = Archive("memory://nowhere")

    assert archive.read(name, form) is None
    assert archive.read(name, "json") is None


def test_a_form_that_is_not_one_of_ours_finds_nothing(archive: Archive) -> None:
    save(archive, SESSION)

    assert archive.read(SESSION, "json/../../secret") is None


def test_a_reader_never_sees_half_a_file_while_two_save_the_same(tmp_path: Path) -> None:
    content = files(SESSION) | {"txt": b"x" * 1_000_000}
    name = Archive(str(tmp_path)).save(SESSION, CREATED_MS, content)
    stop = threading.Event()

    def write() -> None:
        archive = Archive(str(tmp_path))
        while not stop.is_set():
            archive.save(SESSION, CREATED_MS, content)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    sizes = {len(Archive(str(tmp_path)).read(name, "txt") or b"") for _ in range(100)}
    stop.set()
    for writer in writers:
        writer.join()

    assert sizes == {1_000_000}
    assert len(names(tmp_path)) == 4


def test_a_save_that_fails_leaves_no_part_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("steno_common.archive.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(Archive(str(tmp_path)), SESSION)

    assert names(tmp_path) == []


def test_preparing_removes_only_what_was_left_behind_long_ago(tmp_path: Path) -> None:
    old, new = (tmp_path / f".transcripcion_x.txt.{age}.part" for age in ("old", "new"))
    for part in (old, new):
        part.touch()
    os.utime(old, (0, 0))

    Archive(str(tmp_path)).prepare()

    assert names(tmp_path) == [new.name]


def test_an_output_without_a_filesystem_is_a_fault_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="STENO_OUTPUT"):
        Archive("nosuchscheme://bucket")


def test_ids_sort_by_time() -> None:
    assert transcript_id("z", CREATED_MS) == "20231114T221320123Z_z"
    assert transcript_id("z", CREATED_MS) < transcript_id("a", CREATED_MS + 1)
