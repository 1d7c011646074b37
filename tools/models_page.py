"""Writes the tables of docs/models.md from the catalogue: what can be used, and what it may be used for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.families import FAMILIES, find_family
from kith.catalogue.licenses import License
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.catalogue.published.entries import PublishedDetector, PublishedModel
from kith.catalogue.spec import DetectorSpec, EmbedderSpec

PAGE = Path(__file__).parents[1] / "docs" / "models.md"


def page(text: str) -> str:
    """The page with each of its tables written anew."""
    for name, table in tables().items():
        start, end = f"<!-- {name}, by tools/models_page.py -->\n", "<!-- end -->"
        assert text.count(start) == 1, f"{PAGE.name} has no place for {name}"
        text = re.sub(
            f"({re.escape(start)}).*?({end})",
            lambda found, rows=table: f"{found[1]}\n{rows}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def tables() -> Mapping[str, str]:
    """The tables by name."""
    embedders = [*map(_embedder, EMBEDDERS.values()), *map(_published, PUBLISHED.values())]
    detectors = [*map(_detector, DETECTORS.values()), *map(_published_detector, PUBLISHED_DETECTORS.values())]
    groups = [model for model in PUBLISHED.values() if model.by_group]
    return {
        "embedders": _table(
            ("embedder", "use", "license", "MB", "numbers", "usual detector", "LFW", "IJB-C", "trained on"),
            embedders,
        ),
        "detectors": _table(("detector", "use", "license", "MB", "trained on", "figures"), detectors),
        "groups": _table(
            ("embedder", *(name for name, _ in groups[0].by_group)),
            [[f"`{model.id}`", *(f"{share:.1f} %" for _, share in model.by_group)] for model in groups],
        ),
        "thresholds": _table(
            ("family", "cosine", "taken for FMR", "recommended by"),
            [
                [
                    f"`{name}`",
                    f"{family.threshold.score:g}",
                    f"{family.threshold.rate:g}",
                    family.threshold.source,
                ]
                if family.threshold
                else [f"`{name}`", "none", "", ""]
                for name, family in FAMILIES.items()
            ],
        ),
    }


def _embedder(spec: EmbedderSpec) -> list[str]:
    return [
        f"`{spec.id}`",
        spec.use,
        spec.license,
        _megabytes(spec.weights.size),
        str(spec.embedding_size),
        f"`{spec.detector}`",
        spec.lfw,
        "",
        spec.training_data,
    ]


def _published(model: PublishedModel) -> list[str]:
    return [
        f"`{model.id}`",
        model.license.use,
        _license(model.license),
        _megabytes(model.files[0].size),
        str(find_family(model.family).embedding_size),
        f"`{model.detector}`",
        model.lfw,
        f"{model.ijb_c:g} %" if model.ijb_c else "",
        model.training_data,
    ]


def _detector(spec: DetectorSpec) -> list[str]:
    size = sum(weights.size for weights in spec.weights.values())
    return [f"`{spec.id}`", spec.use, spec.license, _megabytes(size), spec.training_data, ""]


def _published_detector(detector: PublishedDetector) -> list[str]:
    return [
        f"`{detector.id}`",
        detector.license.use,
        _license(detector.license),
        _megabytes(detector.files[0].size),
        detector.training_data,
        detector.figures,
    ]


def _license(license: License) -> str:
    return f"[{license.text}]({license.url})" if license.url else license.text


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}" if size < 10_000_000 else f"{size / 1e6:.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
