"""Proofs written for a web server are what the service answers, byte for byte."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.acceptance.conftest import Demo

pytestmark = pytest.mark.xdist_group("demo-api")

PROXY = Path(__file__).parents[2] / "deploy" / "nginx.conf"


@pytest.fixture(scope="module")
def folder(running: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proofs")
    write(running, folder)
    return folder


def write(running: Demo, folder: Path, *more: str) -> str:
    words = ["proof", "--to", str(folder), "--home", str(running.home), *more]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_every_file_is_where_the_proxy_looks_and_is_the_answer_of_the_service(
    client: TestClient, running: Demo, folder: Path
) -> None:
    pattern = re.search(r'location ~ "(\S+)" \{', PROXY.read_text())
    assert pattern is not None
    assert "try_files /$2/$1.json @ledger;" in PROXY.read_text()
    for badge in running.badges[:20]:
        path = f"/v1/proofs/{badge.stem}"
        found = re.match(pattern[1], path)
        assert found is not None
        answer = client.get(path)
        assert (folder / found[2] / f"{found[1]}.json").read_bytes() == answer.content


def test_all_are_there_once_and_nothing_else(running: Demo, folder: Path) -> None:
    names = [path.name for path in folder.rglob("*.json")]
    assert len(names) == len(set(names))
    assert {path.name for path in running.badges} <= set(names)
    assert not list(folder.rglob("*.part"))


def test_a_batch_is_written_once_and_again_when_it_changed(running: Demo, folder: Path) -> None:
    assert "Batch" not in write(running, folder)
    (folder / "batch-1").write_text("another transaction")
    assert "Batch 1:" in write(running, folder, "--batch", "1")
    assert "Batch" not in write(running, folder)


@pytest.mark.parametrize(
    "words",
    [[], ["--batch", "1"], ["x", "--to", "d"], ["--state", "--to", "d"]],
    ids=" ".join,
)
def test_an_id_or_a_folder_is_given(words: list[str], running: Demo) -> None:
    result = CliRunner().invoke(app, ["proof", *words, "--home", str(running.home)])
    assert getattr(result.exception, "code", None) == "usage"
