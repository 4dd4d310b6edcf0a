"""The README's Python runs, and its commands are those that CI runs."""

import inspect
import itertools
import re
from pathlib import Path

import refdeconv as rd

README = Path(__file__).parent.parent / "README.md"


def test_its_python_runs(capsys):
    examples = re.findall(r"^```python\n(.*?)^```$", README.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        exec(compile(example, str(README), "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert printed.startswith("2.0585316789 Converged.")


def test_nothing_is_left_to_fill_in():
    assert not re.search(
        r"[A-Z]{2,}_[A-Z]{2,}\b(?<!REFDECONV_FFT)(?<!REFDECONV_THREADS)|TODO|FIXME", README.read_text()
    )


def test_its_table_has_every_model():
    """Each public class, regulariser and PSF stands in a module that the table links, with its page."""
    text = README.read_text()
    public = [getattr(rd, name) for name in rd.__all__]
    rooms = [vars(room).values() for room in (rd.regularizers, rd.psf, rd.problems)]
    models = [
        thing for thing in (*public, *itertools.chain(*rooms)) if inspect.isclass(thing) or inspect.isfunction(thing)
    ]
    for model in models:
        module = inspect.getmodule(model)
        if not module.__name__.startswith("refdeconv."):
            continue
        path = Path(module.__file__).relative_to(README.parent)
        if path.parts[1] in ("operators", "functionals", "regularizers.py", "psf"):
            if any(part.startswith("_") for part in path.parts):
                continue
            assert f"]({path})" in text, f"{model.__name__} ({path}) is not in the README's table"


def test_its_two_commands_are_marked_for_ci():
    commands = dict(re.findall(r"<!-- command: (\w+) -->\n```bash\n(.+?)\n```", README.read_text(), flags=re.DOTALL))
    assert set(commands) == {"article", "test"}
    assert all("\n" not in command for command in commands.values())
    assert commands["article"].endswith(".venv/bin/refdeconv article")
    assert "-m pytest" in commands["test"]
