"""Writes the page of the public names, docs/reference/names.md, from the names and their docstrings."""

import inspect
from pathlib import Path

import kith

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "names.md"
_HEAD = """# Public names

What `import kith` offers; `help(kith.NAME)` says the rest. What a verb does
is one call as well: [from Python](../python.md). All else is Kith's own.
`python tools/public_names.py` writes this page.

| name | what it is |
|---|---|
"""


def page() -> str:
    """The page: each public name with the first sentence of its docstring."""
    names = sorted(name for name in kith.__all__ if not name.startswith("_"))
    return _HEAD + "".join(f"| `{name}` | {_first_line(name)} |\n" for name in names)


def _first_line(name: str) -> str:
    return (inspect.getdoc(getattr(kith, name)) or "").partition("\n")[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
