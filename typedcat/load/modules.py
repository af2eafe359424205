"""Runs a `.py` config file: from its path, once per call, under a name of its own.

Names. Each import root has a synthetic package, whose name is the folder's path; `configs/base/cfg.py` runs as
`<package>.configs.base.cfg@<n>`, with a new n for every run. So relative imports work, two projects never get each
other's files, and no run finds the module of an earlier one. What a relative import reaches (`from ..base.cfg import
f`) is an ordinary module of that package: it runs once per process, and an edit of it is seen by the next process. See
`helpers` for the configs that it has.

Other processes. A plain pickle stores classes and functions by name, and these names say which file to run: `_Finder`
gives a process that lacks `...cfg@3` (a worker of a spawned pool) the module, by one run of the file.

Import root. It is appended to `sys.path` and stays there, since functions of a config may import later, and what is
unpickled too. An absolute import of the user's own code is an ordinary import, with its ordinary risk: of two
projects that both have a `helpers.py`, the first one imported wins.

Memory. `sys.modules` keeps the last KEPT_RUNS runs of each file, so that plain pickling by reference and the
evaluation of string annotations work on them. Older ones live as long as what they define is in use, and cloudpickle
pickles that by value all the same.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from typedcat.errors import ConfigCodeError, TypedcatError, as_config, readable, short_path
from typedcat.load.formats import alchemy
from typedcat.load.formats.documents import read_bytes
from typedcat.load.formats.python_source import imports_ours, parsed
from typedcat.load.helpers import helpers_too
from typedcat.load.helpers import install as install_helpers
from typedcat.load.import_path import make_importable

__all__ = [
    "code_error",
    "definition_key",
    "last_run",
    "raised_at",
    "register_for_pickling",
    "run_config_file",
    "syntax_error",
]

KEPT_RUNS = 64
_HINT_WIDTH = 100

_run_numbers = itertools.count(1)
_compiled: dict[str, tuple[bytes, CodeType]] = {}  # by path: the source and what it compiled to
_kept: dict[str, deque[str]] = {}  # by path: the names of its last runs in sys.modules
_files: dict[str, str] = {}  # by module name without the number of the run: the path
_packages: set[str] = set()  # the names of the synthetic packages of import roots
_PREFIX = "_typedcat_"  # how all these names begin


def run_config_file(path: Path, *, import_root: Path) -> ModuleType:
    """Executes a config file.

    Args:
        path: the file, absolute.
        import_root: the folder below which relative imports work, and from which the user's own packages are found.

    Returns:
        A new module on every call.

    Raises:
        ConfigFileError: the file cannot be read.
        ConfigCodeError: it does not compile, or raised; the original is `__cause__`. A TypedcatError that it raised
            (a base that is missing, a key that is reserved) passes as it is, with a note where it happened.
    """
    file, root = os.path.abspath(path), os.path.abspath(import_root)
    code = _compile(file)
    module = _new_module(file, root)
    sys.modules[module.__name__] = module
    try:
        _run(code, module, root)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _run(code: CodeType, module: ModuleType, root: str) -> None:
    file = code.co_filename
    module.__file__ = file
    _files[module.__name__.rpartition("@")[0]] = file
    make_importable(root)
    try:
        with helpers_too():
            exec(code, module.__dict__)
    except TypedcatError as error:
        error.add_note(f"while running {_place(error, file)}")
        raise
    except (Exception, SystemExit) as error:
        raise code_error(file, error, root) from error
    _keep(file, module.__name__)


def register_for_pickling() -> None:
    """Makes cloudpickle pickle by value what config files, and the helpers they import relatively, define.

    To be called before pickling; it imports cloudpickle, which loading a config does not.
    """
    import cloudpickle

    for package in list(_packages):
        cloudpickle.register_pickle_by_value(sys.modules[package])


def last_run(path: Path) -> ModuleType | None:
    """The module of the newest run of a config file in this process."""
    names = _kept.get(os.path.abspath(path))
    return sys.modules.get(names[-1]) if names else None


def definition_key(definition: type[Any] | FunctionType) -> tuple[str, str]:
    """What a class or function is called, whichever run of its file made it.

    Args:
        definition: a class or function from a config file, or from anywhere else.

    Returns:
        The path of the file that defines it (the name of the module, where there is no file) and its qualified name.
        It is the same for every run of a config file and for an import of that file.
    """
    name = definition.__module__
    run, _, number = name.rpartition("@")
    file = _files.get(run) if number.isdigit() else getattr(sys.modules.get(name), "__file__", None)
    return file or name, definition.__qualname__


def _compile(file: str) -> CodeType:
    """The code of a file. Reading it costs little; compiling is what an unchanged file is spared."""
    source = read_bytes(Path(file))
    known = _compiled.get(file)
    if known is not None and known[0] == source:
        return known[1]
    try:
        _check_encoding(file, source)
        code = alchemy.code_of(source, file)
    except SyntaxError as error:
        raise syntax_error(file, error) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:  # encodings, NULs, absurd nesting
        reason = str(error) or "nested too deeply"
        raise ConfigCodeError(file, f"does not compile: {reason}") from error
    _compiled[file] = source, code
    return code


def _check_encoding(file: str, source: bytes) -> None:
    """The compiler's own message for this is cryptic, and a comment in the wrong encoding passes it."""
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        from tokenize import detect_encoding

        encoding, _ = detect_encoding(iter(source.splitlines(keepends=True)).__next__)
        if encoding.startswith("utf-8"):
            line = source.count(b"\n", 0, error.start) + 1
            reason = f"not valid UTF-8: byte 0x{source[error.start]:02x} at offset {error.start}"
            raise ConfigCodeError(file, reason, line, hints=["save the file as UTF-8"]) from error


def _new_module(file: str, root: str) -> ModuleType:
    """An empty module for one run of `file`; a file outside of `root` counts from the root of its drive."""
    path = Path(file)
    top = Path(root) if path.is_relative_to(root) else Path(path.anchor)
    name = f"{_package(top, path.parent.relative_to(top).parts)}.{_mangled(path.stem)}"
    numbered = (f"{name}@{number}" for number in _run_numbers)
    free = next(one for one in numbered if one not in sys.modules)  # it may have come with a pickle
    return module_from_spec(ModuleSpec(free, None, origin=file))


def _package(top: Path, folders: tuple[str, ...]) -> str:
    """The name of the package that stands for a folder, in which relative imports begin.

    The import system makes these packages itself when it needs them; see `_Finder`.
    """
    root = _PREFIX + quote(os.fsencode(top), safe="/\\:").replace(".", "%2E")
    if root not in sys.modules:
        sys.modules[root] = module_from_spec(_namespace(root, _folder_of(root)))
    return ".".join([root, *map(_mangled, folders)])


def _folder_of(package: str) -> str:
    """The import root whose synthetic package has this name."""
    return os.fsdecode(unquote_to_bytes(package.removeprefix(_PREFIX)))


def _mangled(part: str) -> str:
    return part.replace(".", "\u2024")  # looks like a dot, separates nothing


def _unmangled(part: str) -> str:
    return part.replace("\u2024", ".")


def _namespace(name: str, folder: str) -> ModuleSpec:
    if "." not in name:
        _packages.add(name)
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    return spec


# -- what other processes import


class _Finder(MetaPathFinder):
    """Finds the modules of config files by their names; ordinary modules next to them it leaves to the import system.

    That takes these packages for namespace packages; what it cannot know is the folder of an import root, and a folder
    with a '.' in its name.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIX):
            return None
        root, *parts = fullname.split(".")
        if not parts:
            return _namespace(root, _folder_of(root))
        run, _, number = parts[-1].rpartition("@")
        place = os.path.join(_folder_of(root), *map(_unmangled, parts[:-1]))
        if number.isdecimal():
            return ModuleSpec(fullname, _Loader(), origin=os.path.join(place, f"{_unmangled(run)}.py"))
        folder = os.path.join(place, _unmangled(parts[-1]))
        return _namespace(fullname, folder) if _unmangled(parts[-1]) != parts[-1] and os.path.isdir(folder) else None


class _Loader(Loader):
    """Runs a config file because something refers by name to what it defines."""

    def exec_module(self, module: ModuleType) -> None:
        file = str(module.__spec__.origin if module.__spec__ is not None else "")
        root = _folder_of(module.__name__.partition(".")[0])
        try:
            _run(_compile(file), module, root)
        except TypedcatError as error:
            reason = f"what {short_path(file)} defines is needed, and that file cannot be run: {error}"
            raise ImportError(reason, name=module.__name__, path=file) from error


sys.meta_path.insert(0, _Finder())
alchemy.install()
install_helpers()


def _keep(file: str, name: str) -> None:
    runs = _kept.setdefault(file, deque())
    runs.append(name)
    while len(runs) > KEPT_RUNS:
        sys.modules.pop(runs.popleft(), None)


def syntax_error(file: str, error: SyntaxError) -> ConfigCodeError:
    """The error to raise for a file that does not compile."""
    reason = error.msg if error.msg.startswith("invalid syntax") else f"invalid syntax: {error.msg}"
    line = error.lineno if error.lineno else None
    column = error.offset if line and error.offset and error.offset > 0 else None
    return ConfigCodeError(file, reason, line, column, list(_with_caret(error.text, column)))


def _with_caret(text: str | None, column: int | None) -> Iterator[str]:
    """The line of the file, and a caret below the column; long lines are cut around it."""
    if not text:
        return
    shown = text.rstrip().replace("\t", " ")
    at = (column or 1) - 1
    begin = max(0, at - _HINT_WIDTH // 2)
    yield shown[begin : begin + _HINT_WIDTH]
    if column is not None:
        yield " " * (at - begin) + "^"


def _place(error: BaseException, file: str) -> str:
    """`file:line` of the innermost frame in `file`."""
    line = _line_in(error, file)
    return short_path(file) if line is None else f"{short_path(file)}:{line}"


def _line_in(error: BaseException, file: str) -> int | None:
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def code_error(file: str, error: BaseException, root: str) -> ConfigCodeError:
    """The error to raise for what the code of a file has raised."""
    message = readable(str(error))  # 'configs.base.helpers' says more than its synthetic name
    reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
    line, at = _line_in(error, file), raised_at(error, root)
    deeper = f"it was raised at {at}" if at and at != f"{short_path(file)}:{line}" else ""
    return ConfigCodeError(file, reason, line, hints=[deeper, _hint_for(error, root) or _hint_for_dict(error, file)])


def raised_at(error: BaseException, inside: str) -> str:
    """`file:line` of the innermost frame in a file, or in a folder; '' where there is none."""
    at, traceback = "", error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if inside and (file == inside or file.startswith(os.path.join(inside, ""))):
            at = f"{short_path(file)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return at


_EXTRAS = {  # which extra brings a library of configs that run as they are
    "hydra": "hydra",
    "mmengine": "mmcv",
    "ml_collections": "ml-collections",
    "omegaconf": "omegaconf",
    "yacs": "yacs",
}


def _hint_for(error: BaseException, root: str) -> str:
    if isinstance(error, SystemExit):
        return "a config must not end the program: remove the call of exit()"
    if not isinstance(error, ImportError):
        return ""
    if (error.name or "").startswith(_PREFIX) or "relative import" in str(error):
        return f"relative imports begin at the folder of the config and end at {short_path(root)}"
    if error.name in _EXTRAS:
        return f"pip install 'typedcat[{_EXTRAS[error.name]}]' brings it, for {sys.executable}"
    if isinstance(error, ModuleNotFoundError):
        return f"it is neither installed for {sys.executable} nor a file in {root}"
    return ""


def _hint_for_dict(error: BaseException, file: str) -> str:
    """A way out for a dict that was taken for a subtree, in a file where subtrees can be written."""
    if not isinstance(error, AttributeError) or not str(error).startswith("'dict' object has no attribute"):
        return ""
    tree = parsed(_compiled[file][0], Path(file)) if file in _compiled else None
    if tree is None or not imports_ours(tree):
        return ""
    written = as_config(error.obj) if isinstance(error.obj, dict) else "Config({...})"  # of a write Python gives none
    return f"a dict that is assigned is one value; a subtree is written {written}"
