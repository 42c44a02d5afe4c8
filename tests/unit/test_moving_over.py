"""The page about moving over: each test that it names exists, each sentence names one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/moving-over.md").read_text()
SENTENCES = re.findall(r"^\| (\d+\. .*?) \| (.*?) \| (.*?) \|$", PAGE, flags=re.MULTILINE)


def functions_in(path: Path) -> set[str]:
    """Give the names of the functions in a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


def test_the_page_has_every_sentence() -> None:
    numbers = [int(said.partition(".")[0]) for said, _, _ in SENTENCES]
    assert numbers == [*range(1, 6), *range(1, 15), *range(1, 7)]


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence[0][:40])
def test_a_sentence_is_shown_by_tests_that_exist(sentence: tuple[str, str, str]) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", sentence[2])
    assert named
    for file, name in named:
        assert name in functions_in(ROOT / file), f"{file} has no {name}"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w./-]+)\)", PAGE))))
def test_what_is_linked_exists(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
