"""Pulling published models from a server: the right file, a wrong one, half of one, and none.

Where a published file lies among the research data, it is what is served. For all others a stand-in of the
same inputs and outputs is, made here, and its hash takes the place of the published one: of YuNet and SCRFD
where that data is absent, and everywhere of SCRFD in InsightFace's own files, SFace, AuraFace, AdaFace, EdgeFace
and what is in the packs. That the real files are embedders and detectors is therefore not shown here.
"""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from made_up_calibration import measured_up_to
from write_detector import write_scrfd, write_yunet
from write_mxnet import insightface_names, made_up_mobilefacenet, write_mxnet
from write_onnx import write_onnx

from kith.catalogue import calibrations
from kith.catalogue.acceptance import ACCEPTED
from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.catalogue.calibrations import UNMEASURED, find_calibration
from kith.catalogue.families import find_family
from kith.catalogue.installed import find_detector, find_embedder, installed_ids, models_folder, remove
from kith.catalogue.licenses import Use
from kith.catalogue.preprocessing import ColorOrder, FixedScaling
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS, facenet
from kith.catalogue.published.entries import PublishedDetector, PublishedFile, PublishedModel
from kith.catalogue.spec import DetectorKind, DetectorSpec, EmbedderSpec
from kith.detection import load_detector
from kith.errors import (
    ChecksumMismatch,
    DownloadFailed,
    LicenseNotAccepted,
    Remedy,
    UnsupportedFile,
    WeightsError,
)
from kith.images.reading import load_image
from kith.runtime.adopt_detector import adopt_detector
from kith.runtime.prepare import prepare
from kith.runtime.trial import Adopted, adopt_in_bounds
from kith.sample_people import GROUP_PHOTO
from kith.workflows import detectors, importing
from kith.workflows.importing import import_file
from kith.workflows.pulling import pull

OLD = {model.id for model in facenet.MODELS}
NEW = [model_id for model_id in PUBLISHED if model_id not in OLD]
PACKS = [model_id for model_id in NEW if PUBLISHED[model_id].files[0].members]
RESTRICTED = [model_id for model_id in NEW if PUBLISHED[model_id].license.use.is_restricted]
Published = PublishedModel | PublishedDetector


def entry(model_id: str) -> Published:
    return PUBLISHED.get(model_id) or PUBLISHED_DETECTORS[model_id]


def brought_with(model_id: str) -> list[str]:
    """The detector that an embedder brings with it, where it is not here already."""
    detector = PUBLISHED[model_id].detector if model_id in NEW else DEFAULT_DETECTOR
    return [] if detector == DEFAULT_DETECTOR else [detector]


@cache
def real_files() -> dict[str, bytes]:
    """The research data's weights by their hash; none where it is absent."""
    paths = [
        path
        for path in (Path(__file__).parents[4] / "shared" / "data" / "weights").glob("*")
        if path.is_file()
    ]
    contents = [path.read_bytes() for path in paths]
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


@cache
def stand_in(kind: str, length: int = 0) -> bytes:
    if kind == "sface":
        return write_onnx(batch=1, pixels=112, scaled=True, length=128)
    if kind in (DetectorKind.YUNET, DetectorKind.SCRFD):
        return write_yunet() if kind is DetectorKind.YUNET else write_scrfd()
    return write_onnx(pixels=112, length=length)


def zipped(**contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {"README": b"not wanted", **contents}.items():
            archive.writestr(name, content)
    return file.getvalue()


def content_of(model: Published, file: PublishedFile) -> bytes:
    if file.sha256 in real_files():
        return real_files()[file.sha256]
    if file.members:
        embedder, detector = file.members
        return zipped(
            **{embedder.name: stand_in("arcface", 512), detector.name: stand_in(DetectorKind.SCRFD)}
        )
    if isinstance(model, PublishedDetector):
        return stand_in(model.kind)
    if model.family == "arcface-mobilefacenet":
        return write_mxnet(insightface_names(made_up_mobilefacenet()))
    return stand_in(model.family, find_family(model.family).embedding_size)


class Shop:
    """A server of files, which counts what it is asked for; and a catalogue of what it has."""

    def __init__(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._monkeypatch = monkeypatch

    def offer(self, model_id: str, content: bytes | None = None) -> PublishedFile:
        """Publish a model here: the file that is at hand, or these bytes."""
        model = entry(model_id)
        file = model.files[0]
        content = content_of(model, file) if content is None else content
        contents = _members(content) if file.members else {}
        file = replace(
            file,
            urls=(f"{self.address}/{model_id}",),
            sha256=_sha256(content),
            size=len(content),
            members=tuple(
                replace(member, sha256=_sha256(contents[member.name]), size=len(contents[member.name]))
                for member in file.members
                if member.name in contents
            ),
        )
        self.files[model_id] = content
        of_kind = PUBLISHED if isinstance(model, PublishedModel) else PUBLISHED_DETECTORS
        self._monkeypatch.setitem(of_kind, model_id, replace(model, files=(file, *model.files[1:])))
        return file


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Handler(BaseHTTPRequestHandler):
    """Answers for the shop that is open."""

    shop: Shop

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.shop.asked.append(name)
        content = self.shop.files.get(name, b"")
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def shop(address: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    Handler.shop = Shop(address, monkeypatch)
    return Handler.shop


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are adopted in this process and embed nobody, which other tests look at: it takes seconds."""

    def adopt(data: bytes, *, size: int, color: ColorOrder, output: None) -> Adopted:
        model = onnx.load_from_string(data)
        length = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
        return Adopted(data, size, length, scales_pixels=False)

    # reading the certificates of the world takes longer than all else; the server here has none
    monkeypatch.setattr(httpx, "Client", partial(httpx.Client, verify=False))
    monkeypatch.setattr(importing, "adopt_in_bounds", adopt)
    monkeypatch.setattr(detectors, "adopt_detector_in_bounds", adopt_detector)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)


def here() -> list[str]:
    """What lies in the folder of the models."""
    return sorted(path.name for path in models_folder().iterdir()) if models_folder().exists() else []


@pytest.mark.parametrize("model_id", NEW)
def test_an_embedder_arrives_with_its_detector(model_id: str, shop: Shop) -> None:
    model, brought = PUBLISHED[model_id], brought_with(model_id)
    shop.offer(model_id)
    for detector_id in brought if model_id not in PACKS else ():
        shop.offer(detector_id)
    spec = pull(model_id, accept_license=True)
    assert isinstance(spec, EmbedderSpec)
    family = find_family(model.family)
    assert (spec.id, spec.detector, spec.use) == (model_id, model.detector, model.license.use)
    assert (spec.license, spec.training_data, spec.lfw) == (
        model.license.text,
        model.training_data,
        model.lfw,
    )
    assert (spec.crop, spec.pixels, spec.input_size) == (family.crop, family.pixels, family.input_size)
    assert spec.embedding_size == family.embedding_size
    assert find_embedder(model_id) == spec
    detector = find_detector(model.detector)
    assert detector.id == model.detector
    assert all(detector.kind == PUBLISHED_DETECTORS[one].kind for one in brought)
    assert sorted(shop.asked) == sorted({model_id} if model_id in PACKS else {model_id, *brought})
    accepted = [ACCEPTED] if model.license.use.is_restricted else []
    assert here() == sorted([*accepted, model_id, *brought]), "what was downloaded is gone"
    assert pull(model_id) == spec, "what is here is not fetched again"
    assert len(shop.asked) == len(set(shop.asked))


def test_a_network_of_one_face_that_scales_pixels_is_adopted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SFace is: in a process of its own, as every published ONNX file outside these tests."""
    monkeypatch.setattr(importing, "adopt_in_bounds", adopt_in_bounds)
    for model_id in ("sface", "yunet-s"):
        shop.offer(model_id)
    spec = pull("sface")
    assert isinstance(spec, EmbedderSpec)
    assert (spec.embedding_size, spec.pixels) == (128, FixedScaling((0.0, 0.0, 0.0), 1.0))
    faces = np.random.default_rng(0).uniform(0, 255, (3, 112, 112, 3)).astype(np.float32)
    (together,) = prepare(spec.weights).run(faces)
    alone = [prepare(spec.weights).run(faces[row : row + 1])[0][0] for row in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("model_id", PUBLISHED_DETECTORS)
def test_a_detector_arrives(model_id: str, shop: Shop) -> None:
    detector = PUBLISHED_DETECTORS[model_id]
    shop.offer(model_id)
    spec = pull(model_id, accept_license=True)
    assert isinstance(spec, DetectorSpec)
    assert (spec.id, spec.kind, spec.use) == (model_id, detector.kind, detector.license.use)
    assert (spec.license, spec.summary) == (detector.license.text, detector.summary)
    assert find_detector(model_id) == spec
    with pytest.raises(WeightsError, match="is a detector, and an embedder is needed"):
        find_embedder(model_id)


@pytest.mark.parametrize("model_id", [*NEW, *PUBLISHED_DETECTORS])
@pytest.mark.parametrize("wrong", ["another", "truncated"])
def test_another_file_or_half_of_it_is_not_installed(model_id: str, wrong: str, shop: Shop) -> None:
    shop.offer(model_id)
    for detector in brought_with(model_id):
        shop.offer(detector)
    content = shop.files[model_id]
    shop.files[model_id] = content[: len(content) // 2] if wrong == "truncated" else b"<html>".ljust(500)
    with pytest.raises(ChecksumMismatch, match="nothing was installed"):
        pull(model_id, accept_license=True)
    assert model_id not in installed_ids()
    assert set(here()) <= {ACCEPTED, *brought_with(model_id)}


@pytest.mark.parametrize("model_id", [*NEW, *PUBLISHED_DETECTORS])
def test_offline_it_says_what_to_do(model_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop("http://127.0.0.1:9", monkeypatch)
    shop.offer(model_id)
    for detector in brought_with(model_id):
        shop.offer(detector)
    with pytest.raises(DownloadFailed, match="is there a network") as caught:
        pull(model_id, accept_license=True)
    assert caught.value.remedy is Remedy.IMPORT_FILE
    assert installed_ids() == []


# licenses


def test_which_licenses_must_be_accepted() -> None:
    words = {model_id: entry(model_id).license.use for model_id in [*NEW, *PUBLISHED_DETECTORS]}
    assert {word: sum(found is word for found in words.values()) for word in Use} == {
        Use.ANY: 4,
        Use.NONCOMMERCIAL: 4,
        Use.RESEARCH: 9,
        Use.UNCLEAR: 3,
    }
    assert {model_id for model_id, word in words.items() if word is Use.ANY} == {
        *("sface", "auraface", "yunet-s", "yunet-n")
    }


@pytest.mark.parametrize("model_id", [*RESTRICTED, "scrfd-500m"])
def test_nothing_is_fetched_before_a_license_is_accepted(model_id: str, shop: Shop) -> None:
    shop.offer(model_id)
    with pytest.raises(LicenseNotAccepted) as caught:
        pull(model_id)
    assert str(caught.value).startswith(f"{model_id} must not be used commercially: ")
    assert "https://" in caught.value.license
    assert (caught.value.remedy, caught.value.about) == (Remedy.ACCEPT_AND_PULL, (model_id,))
    assert (shop.asked, here()) == ([], [])


def test_what_was_accepted_is_remembered(shop: Shop) -> None:
    for model_id in ("scrfd-500m", "scrfd-2.5g", "edgeface-xxs", "yunet-s"):
        shop.offer(model_id)
    pull("scrfd-500m", accept_license=True)
    remembered = json.loads((models_folder() / ACCEPTED).read_text())
    assert list(remembered["licenses"]) == [PUBLISHED_DETECTORS["scrfd-500m"].license.text]
    pull("scrfd-2.5g")  # of the same license
    with pytest.raises(LicenseNotAccepted, match="CC BY-NC-SA"):
        pull("edgeface-xxs")
    pull("edgeface-xxs", accept_license=True)
    assert len(json.loads((models_folder() / ACCEPTED).read_text())["licenses"]) == 2
    remove("scrfd-500m")
    pull("scrfd-500m")


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"licenses": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_memory_is_none(damage: bytes, shop: Shop) -> None:
    models_folder().mkdir(parents=True)
    (models_folder() / ACCEPTED).write_bytes(damage)
    shop.offer("scrfd-500m")
    with pytest.raises(LicenseNotAccepted):
        pull("scrfd-500m")
    pull("scrfd-500m", accept_license=True)
    assert json.loads((models_folder() / ACCEPTED).read_text())["version"] == 1


def test_accepting_what_need_not_be_is_not_remembered(shop: Shop) -> None:
    shop.offer("yunet-s")
    pull("yunet-s", accept_license=True)
    assert here() == ["yunet-s"]


# packs


def test_a_pack_leaves_a_detector_that_is_here(shop: Shop) -> None:
    shop.offer("scrfd-500m")
    before = pull("scrfd-500m", accept_license=True)
    shop.offer(
        "buffalo_sc", zipped(**{"w600k_mbf.onnx": stand_in("arcface", 512), "det_500m.onnx": b"other"})
    )
    pull("buffalo_sc")
    assert find_detector("scrfd-500m") == before


def test_a_detector_that_was_removed_is_brought_again_alone(shop: Shop) -> None:
    shop.offer("buffalo_sc")
    shop.offer("scrfd-500m")
    pull("buffalo_sc", accept_license=True)
    remove("scrfd-500m")
    pull("buffalo_sc")
    assert find_detector("scrfd-500m").id == "scrfd-500m"
    assert shop.asked == ["buffalo_sc", "scrfd-500m"]


EVIL: dict[str, Callable[[bytes, bytes], bytes]] = {
    "path trick": lambda embedder, detector: zipped(
        **{"../w600k_mbf.onnx": embedder, "w600k_mbf.onnx": embedder, "det_500m.onnx": detector}
    ),
    "bomb": lambda embedder, detector: _squeezed(
        {"w600k_mbf.onnx": embedder, "det_500m.onnx": detector, "zeros": bytes(20 << 20)}
    ),
    "no detector": lambda embedder, detector: zipped(**{"w600k_mbf.onnx": embedder}),
    "no embedder": lambda embedder, detector: zipped(**{"det_500m.onnx": detector}),
    "no zip": lambda embedder, detector: embedder,
    "cut off": lambda embedder, detector: zipped(**{"w600k_mbf.onnx": embedder, "det_500m.onnx": detector})[
        :-200
    ],
}


def _squeezed(contents: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("kind", EVIL)
def test_a_pack_that_is_none_is_not_installed(kind: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if its publisher had published it so: the hash of the whole is right."""
    shop.offer("buffalo_sc")
    pack = PUBLISHED["buffalo_sc"].files[0]
    evil = EVIL[kind](stand_in("arcface", 512), stand_in(DetectorKind.SCRFD))
    shop.files["buffalo_sc"] = evil
    file = replace(pack, sha256=_sha256(evil), size=len(evil))
    monkeypatch.setitem(PUBLISHED, "buffalo_sc", replace(PUBLISHED["buffalo_sc"], files=(file,)))
    with pytest.raises(UnsupportedFile):
        pull("buffalo_sc", accept_license=True)
    assert [name for name in installed_ids() if name != "scrfd-500m"] == []


# files that somebody has already


def test_a_known_file_is_imported_once_its_license_is_accepted(shop: Shop, tmp_path: Path) -> None:
    shop.offer("edgeface-xxs")
    path = tmp_path / "renamed.bin"
    path.write_bytes(shop.files["edgeface-xxs"])
    with pytest.raises(LicenseNotAccepted, match=r"renamed.bin must not be used commercially") as caught:
        import_file(path)
    assert (caught.value.remedy, caught.value.about) == (Remedy.ACCEPT_AND_IMPORT, (str(path),))
    assert here() == []
    spec = import_file(path, accept_license=True)
    assert (spec.id, spec.use) == ("edgeface-xxs", Use.NONCOMMERCIAL)
    assert import_file(path, model_id="mine").id == "mine", "it is remembered"
    assert shop.asked == []


def test_a_known_pack_is_imported_with_its_detector(shop: Shop, tmp_path: Path) -> None:
    shop.offer("buffalo_sc")
    path = tmp_path / "buffalo_sc.zip"
    path.write_bytes(shop.files["buffalo_sc"])
    assert import_file(path, accept_license=True).id == "buffalo_sc"
    assert find_detector("scrfd-500m").kind is DetectorKind.SCRFD
    assert shop.asked == []


@pytest.mark.parametrize("model_id", PUBLISHED_DETECTORS)
def test_a_known_detector_is_imported_as_one(model_id: str, shop: Shop, tmp_path: Path) -> None:
    shop.offer(model_id)
    path = tmp_path / "detector.onnx"
    path.write_bytes(shop.files[model_id])
    spec = import_file(path, accept_license=True)
    assert isinstance(spec, DetectorSpec)
    assert find_detector(model_id) == spec


@pytest.mark.parametrize("name", ["scrfd_500m_kps.onnx", "scrfd_2.5g_kps.onnx"])
def test_a_re_exported_scrfd_is_known_too(name: str, shared: Path) -> None:
    spec = import_file(shared / "data" / "weights" / name, accept_license=True)
    assert spec.id == name.replace("_kps.onnx", "").replace("_", "-")


def test_the_only_size_that_a_detector_sees_is_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        detectors, "adopt_detector_in_bounds", lambda data: adopt_detector(data)._replace(side=640)
    )
    shop.offer("yunet-s")
    pull("yunet-s")
    (weights,) = find_detector("yunet-s").weights.values()
    assert weights.input_size == 640


def test_a_detector_of_another_kind_is_refused(shop: Shop) -> None:
    shop.offer("scrfd-500m", write_yunet())
    with pytest.raises(UnsupportedFile, match="scrfd-500m is said to be scrfd, but its file is yunet"):
        pull("scrfd-500m", accept_license=True)
    assert installed_ids() == []


def test_a_detector_that_was_brought_here_finds_faces(shared: Path) -> None:
    import_file(shared / "data" / "weights" / "yunet_s_640_640.onnx")
    assert len(load_detector("yunet-s").detect(load_image(GROUP_PHOTO))) == 10


# the catalogue


def test_every_entry_can_be_pulled_and_proven() -> None:
    names = [*PUBLISHED, *PUBLISHED_DETECTORS]
    assert len(names) == len(set(names))
    for model_id in [*NEW, *PUBLISHED_DETECTORS]:
        file = entry(model_id).files[0]
        assert all(url.startswith("https://") for url in file.urls)
        assert file.urls and len(file.sha256) == 64 and file.size
    for model in PUBLISHED.values():
        assert model.detector == DEFAULT_DETECTOR or model.detector in PUBLISHED_DETECTORS
        find_family(model.family)
    for model_id in PACKS:
        _, detector = PUBLISHED[model_id].files[0].members
        assert detector.sha256 in [
            file.sha256 for file in PUBLISHED_DETECTORS[PUBLISHED[model_id].detector].files
        ]


def test_another_file_cannot_take_a_published_name(shop: Shop, tmp_path: Path) -> None:
    """It would be measured by the other's calibration."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(stand_in("arcface", 512))
    for name in ("buffalo_l", "scrfd-10g"):
        with pytest.raises(WeightsError, match=f"{name} is the name of a published model"):
            import_file(path, model_id=name, family="arcface")
    spec = import_file(path, family="arcface")
    assert isinstance(spec, EmbedderSpec)
    assert (spec.id, spec.crop, spec.use) == ("mine", find_family("arcface").crop, Use.UNCLEAR)


def test_what_was_measured_of_a_published_model_holds_under_any_name(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrations, "_shipped", lambda model_id: tmp_path / f"{model_id}.json")
    (tmp_path / "edgeface-xxs.json").write_text(measured_up_to(100).to_json())
    shop.offer("edgeface-xxs")
    path = tmp_path / "file.onnx"
    path.write_bytes(shop.files["edgeface-xxs"])
    import_file(path, model_id="mine", accept_license=True)
    assert find_calibration("mine").to_json() == measured_up_to(100).to_json()
    shop.offer("auraface")
    shop.offer("yunet-s")
    pull("auraface")
    assert find_calibration("auraface").measured_on.startswith("no people yet: 0.4 is recommended by")
