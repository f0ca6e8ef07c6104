"""The front door is typed: checkers, editors and `help()` see the names that run, and what users write is right."""

import ast
import inspect
import json
import os
import pydoc
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import schedlog_analysis

ROOT = Path(__file__).parents[1]
TREE = ast.parse(Path(schedlog_analysis.__file__).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The README's Python, the code cells of each notebook, and the lines of `typing/api.py`, as files."""
    folder = tmp_path_factory.mktemp("scripts")
    texts = {"readme": re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts[f"notebook_{path.stem[:2]}"] = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for name, blocks in texts.items():
        assert blocks
        (folder / f"{name}.py").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "tests" / "typing" / "api.py", folder / "api.py")
    return sorted(map(str, folder.glob("*.py")))


def _check(*command):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | {"PYRIGHT_PYTHON_GLOBAL_NODE": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        check=False,
        text=True,
    )


def test_mypy_finds_nothing(scripts):
    """Mypy --strict has no errors in what users write."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    done = _check("mypy", "--strict", "--no-error-summary", *scripts)
    assert done.returncode in (0, 1), done.stderr
    assert [line for line in done.stdout.splitlines() if line.split(":")[0] in scripts] == []


def test_pyright_finds_nothing(scripts):
    """Pyright, which editors use, has no errors in it either."""
    pytest.importorskip("pyright", reason="pyright is not installed")
    done = _check("pyright", "--outputjson", "--pythonpath", sys.executable, *scripts)
    if not done.stdout.startswith("{"):
        pytest.skip("pyright cannot run: it needs node, and its npm package")
    answer = json.loads(done.stdout)
    errors = [each for each in answer["generalDiagnostics"] if each["severity"] == "error"]
    assert [f"{each['file']}: {each['message']}" for each in errors] == []
    assert answer["summary"]["filesAnalyzed"] == len(scripts)


def test_checkers_see_the_names_that_run():
    """The imports for type checkers are the table that loads names at run time, each under its own name."""
    (block,) = [node for node in TREE.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    seen = set()
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            assert all(alias.asname == alias.name for alias in node.names)  # else a strict checker hides it
            seen |= {(node.module, alias.name) for alias in node.names}
    homes = schedlog_analysis._HOMES.items()
    loaded = {(f"schedlog_analysis.{home}", name) for home, names in homes for name in names}
    assert seen == loaded | {("schedlog_analysis", name) for name in schedlog_analysis._MODULES}


def test_tab_completion_lists_every_name():
    """`dir()` has all of `__all__`, sorted, and each name resolves."""
    assert dir(schedlog_analysis) == sorted(schedlog_analysis.__all__)
    assert len(set(schedlog_analysis.__all__)) == len(schedlog_analysis.__all__)
    for name in schedlog_analysis.__all__:
        assert getattr(schedlog_analysis, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'tick'"):
        schedlog_analysis.tick  # noqa: B018 - the attribute is what is looked up


CALLABLE = [name for name in schedlog_analysis.__all__ if callable(getattr(schedlog_analysis, name))]


@pytest.mark.parametrize("name", CALLABLE)
def test_help_shows_signatures(name):
    """`help()` shows what can be called with its parameters, all of which have types, and its description."""
    thing = getattr(schedlog_analysis, name)
    text = pydoc.plain(pydoc.render_doc(thing))
    assert thing.__doc__.strip().splitlines()[0] in text
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    signature = inspect.signature(thing)
    assert f"{name}(" in text
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())


@pytest.mark.parametrize("name", schedlog_analysis._MODULES)
def test_modules_are_modules_and_functions_are_functions(name):
    """No module stands in for a function: a name of the front door that is a module is imported as one."""
    assert inspect.ismodule(getattr(schedlog_analysis, name))
    assert type(sys.modules["schedlog_analysis"]) is type(sys)
