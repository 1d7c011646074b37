"""The pages say what the catalogue says."""

import runpy
from pathlib import Path
from urllib.parse import urlsplit

from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS

ROOT = Path(__file__).parents[3]


def test_its_tables_are_the_catalogues() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "models_page.py"))
    text = tool["PAGE"].read_text("utf-8")
    assert text == tool["page"](text), "run tools/models_page.py"
    for name in [*EMBEDDERS, *DETECTORS, *PUBLISHED, *PUBLISHED_DETECTORS]:
        assert f"| `{name}` |" in text


def test_the_security_page_names_every_place_that_is_asked() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    for model in (*PUBLISHED.values(), *PUBLISHED_DETECTORS.values()):
        for address in map(urlsplit, model.files[0].urls):
            owner, repository = address.path.split("/")[1:3]
            assert address.scheme == "https" and address.netloc in text
            if address.netloc == "github.com":
                assert f"{owner}/{repository}" in text
            elif address.netloc == "huggingface.co":
                assert owner in text
