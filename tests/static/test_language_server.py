"""What an editor shows: pyright's language server, asked about the examples as VS Code would ask it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

import typedcat
from typedcat.static.sources import find_configs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
IMPORT = "from typedcat_catalog import Cfg2Tune, Config, inherit, load_config\n"
BASE = "configs/digits/base/cfg.py"
NET = "configs/net/base/cfg.py"
LONGEST = 50  # characters of a literal that pyright offers; longer ones it knows, but leaves to the user to type
PATIENCE_S = 60

T = TypeVar("T")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def project(name: str, folder: Path) -> Path:
    """A copy of an example as `typedcat init` and `typedcat stubs` leave it."""
    root = folder / name
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns(".*", "__pycache__", "experiment", "stubs"))
    for command in ("init", "stubs"):
        subprocess.run(
            [sys.executable, "-m", "typedcat", command], cwd=root, check=True, capture_output=True, timeout=120
        )
    return root


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project("digits", tmp_path_factory.mktemp("schema"))


@pytest.fixture(scope="module")
def torch_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    return project("torch_digits", tmp_path_factory.mktemp("inferred"))


class Editor:
    """An editor with a project open; `|` in a script is where the cursor stands."""

    def __init__(self, client: LanguageClient, root: Path) -> None:
        self.client = client
        self.root = root
        self.scripts = 0

    def cursor(self, script: str) -> dict[str, Any]:
        """Open a script of its own."""
        self.scripts += 1
        uri = (self.root / f"script{self.scripts}.py").as_uri()
        before, _, after = (IMPORT + script).partition("|")
        document = lsp.TextDocumentItem(uri=uri, language_id="python", version=1, text=before + after)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        line = before.count("\n")
        position = lsp.Position(line, len(before.rpartition("\n")[2]))
        return {"text_document": lsp.TextDocumentIdentifier(uri), "position": position}

    async def completion(self, script: str) -> list[str]:
        """What is offered."""
        found = await self.client.text_document_completion_async(lsp.CompletionParams(**self.cursor(script)))
        items = found.items if isinstance(found, lsp.CompletionList) else found or ()
        return [item.label for item in items]

    async def hover(self, script: str) -> str:
        """What is shown under the mouse."""
        found = await self.client.text_document_hover_async(lsp.HoverParams(**self.cursor(script)))
        assert found is not None
        assert isinstance(found.contents, lsp.MarkupContent)
        return found.contents.value

    async def definition(self, script: str) -> tuple[str, int]:
        """The file, below the project, and the line where 'go to definition' leads."""
        found = await self.client.text_document_definition_async(lsp.DefinitionParams(**self.cursor(script)))
        assert isinstance(found, list)
        [place] = found
        assert isinstance(place, lsp.Location)
        return place.uri.removeprefix(f"{self.root.as_uri()}/"), place.range.start.line + 1


@contextlib.asynccontextmanager
async def editor(root: Path) -> AsyncIterator[Editor]:
    """Start the server, and leave no process behind, whatever happens."""
    client = LanguageClient("typedcat-tests", "1")
    settings = {"pythonPath": sys.executable}
    client.feature(lsp.WORKSPACE_CONFIGURATION)(lambda asked: [settings for _ in asked.items])
    client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(lambda asked: None)
    client.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CREATE)(lambda asked: None)
    # Two processes, Python around node: in a group of their own, so that both can be ended.
    await client.start_io(sys.executable, "-m", "pyright.langserver", "--stdio", cwd=root, start_new_session=True)
    server = client._server
    assert server is not None
    try:
        capabilities = lsp.ClientCapabilities(workspace=lsp.WorkspaceClientCapabilities(configuration=True))
        folders = [lsp.WorkspaceFolder(root.as_uri(), root.name)]
        await client.initialize_async(
            lsp.InitializeParams(capabilities, os.getpid(), root_uri=root.as_uri(), workspace_folders=folders)
        )
        client.initialized(lsp.InitializedParams())
        yield Editor(client, root)
        await client.shutdown_async(None)
        client.exit(None)
        await asyncio.wait_for(server.wait(), 10)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        await client.stop()  # type: ignore[no-untyped-call]  # as pygls has it


def ask(root: Path, question: Callable[[Editor], Awaitable[T]]) -> T:
    """The answer of a server that is started for the question."""

    async def session() -> T:
        async with asyncio.timeout(2 * PATIENCE_S), editor(root) as opened:
            return await asyncio.wait_for(question(opened), PATIENCE_S)

    return asyncio.run(session())


def line_of(file: Path, text: str) -> int:
    [line] = [i for i, line in enumerate(file.read_text("utf-8").splitlines(), 1) if text in line]
    return line


def test_keys_are_completed(torch_digits: Path) -> None:
    offered = ask(torch_digits, lambda editor: editor.completion(f"cfg = load_config('{NET}')\ncfg.loader.ini.|"))
    assert "batch_size" in offered
    assert "epochs" not in offered


def test_a_key_shows_its_type_and_who_set_it(torch_digits: Path) -> None:
    shown = ask(torch_digits, lambda editor: editor.hover(f"cfg = load_config('{NET}')\ncfg.loader.ini.batch|_size"))
    assert "batch_size: int" in shown
    assert f"{NET}:{line_of(torch_digits / NET, 'batch_size = 128')}" in shown


def test_a_key_in_a_dependency_is_completed(torch_digits: Path) -> None:
    script = f"cfg = Config(caps='{NET}')\ncfg.opt.ini.lr = cfg.DEP(lambda c: c.loader.ini.|)\n"
    assert "batch_size" in ask(torch_digits, lambda editor: editor.completion(script))


def test_a_field_leads_to_its_schema(digits: Path) -> None:
    script = f"cfg = load_config('{BASE}')\ncfg.loader.ini.batch|_size"
    line = line_of(digits / "schema.py", "batch_size: ")
    assert ask(digits, lambda editor: editor.definition(script)) == ("schema.py", line)


PLACES_OF_PATHS = [
    "cfg = load_config('|",
    "cfg = load_config('|')\n",
    "def main() -> None:\n    cfg = load_config('|\n    epochs = cfg.sched.epochs\n",
    "cfg = load_config(path, like='|')\n",
    "cfg = Config('|')\n",
    "cfg = Config(caps='|')\n",
    "cfg = Cfg2Tune(caps='|')\n",
    "cfg = inherit('|')\n",
]


@pytest.mark.parametrize("name", ["digits", "torch_digits"])
def test_paths_are_completed(name: str, request: pytest.FixtureRequest) -> None:
    root: Path = request.getfixturevalue(name)
    paths = [path.relative_to(root).as_posix() for path in find_configs(root / "configs")]
    assert BASE in paths or NET in paths
    wanted = {f"'{path}'" for path in paths if len(path) <= LONGEST}

    async def offered(editor: Editor) -> dict[str, set[str]]:
        return {script: {one for one in await editor.completion(script) if "/" in one} for script in PLACES_OF_PATHS}

    assert ask(root, offered) == dict.fromkeys(PLACES_OF_PATHS, wanted)


def test_half_a_path_is_completed(digits: Path) -> None:
    offered = ask(digits, lambda editor: editor.completion("cfg = load_config('configs/digits/base,|')\n"))
    assert "'configs/digits/base,2xbs/cfg.py'" in offered
    assert "'configs/patches/mlp.py'" not in offered


def test_the_names_of_the_catalog_are_completed(digits: Path) -> None:
    offered = ask(digits, lambda editor: editor.completion("from typedcat_catalog import |\n"))
    assert {name for name in offered if not name.startswith("_")} == set(typedcat.__all__)
