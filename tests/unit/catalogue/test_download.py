"""Fetching from a server that is slow, cuts off, lies, serves something else, or is not there."""

import hashlib
import socket
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from witness import Witness

from kith.catalogue import download as module
from kith.catalogue.download import download
from kith.catalogue.published.entries import PublishedFile
from kith.errors import ChecksumMismatch, DownloadFailed, WeightsError

CONTENT = bytes(range(256)) * 4000  # a megabyte, about
OTHER = b"<html>please log in".ljust(1000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = PublishedFile("model.bin", sha256=SHA256, size=len(CONTENT))

Answer = Callable[["Handler", int], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says; requests are kept."""

    answers: list[Answer]
    starts: list[int]

    def do_GET(self) -> None:
        begin = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
        self.starts.append(int(begin))
        answer = self.answers[min(len(self.starts), len(self.answers)) - 1]
        answer(self, int(begin))

    def head(self, status: int, length: int | None, start: int = 0) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Be quiet."""


Server = namedtuple("Server", "url starts")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers = []

    def start(*answers: Answer) -> Server:
        starts: list[int] = []
        handler = type("Own", (Handler,), {"answers": list(answers), "starts": starts})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return Server(f"http://127.0.0.1:{server.server_port}/model.bin", starts)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def whole(handler: Handler, start: int) -> None:
    """As a server should."""
    handler.head(206 if start else 200, len(CONTENT) - start, start)
    handler.wfile.write(CONTENT[start:])


def whole_always(handler: Handler, start: int) -> None:
    """A server that knows no ranges."""
    handler.head(200, len(CONTENT))
    handler.wfile.write(CONTENT)


def cut_off(handler: Handler, start: int) -> None:
    """Dies after 300 kB."""
    handler.head(206 if start else 200, len(CONTENT) - start, start)
    handler.wfile.write(CONTENT[start : start + 300_000])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def nothing(handler: Handler, start: int) -> None:
    """Announces, and dies before the first byte."""
    handler.head(200, len(CONTENT))
    handler.connection.shutdown(socket.SHUT_RDWR)


def other(handler: Handler, start: int) -> None:
    """Serves a page of a hotel's network."""
    handler.head(200, len(OTHER))
    handler.wfile.write(OTHER)


def too_long(handler: Handler, start: int) -> None:
    """Announces nothing and never ends."""
    handler.head(200, None)
    for _ in range(40):
        handler.wfile.write(CONTENT)


def too_much_announced(handler: Handler, start: int) -> None:
    handler.head(200, 10**12)


def slow(handler: Handler, start: int) -> None:
    """In small pieces, but without a pause of seconds."""
    handler.head(200, len(CONTENT))
    for begin in range(0, len(CONTENT), 200_000):
        handler.wfile.write(CONTENT[begin : begin + 200_000])
        handler.wfile.flush()
        time.sleep(0.02)


def missing(handler: Handler, start: int) -> None:
    handler.head(404, 0)


def stuck(handler: Handler, start: int) -> None:
    """Sends the beginning and then nothing."""
    handler.head(200, len(CONTENT))
    handler.wfile.write(CONTENT[:1000])
    handler.wfile.flush()
    time.sleep(2)


def fetch(*urls: str, file: PublishedFile = FILE) -> tuple[Path, Witness]:
    steps = Witness()
    return download(file, urls, steps), steps


@pytest.mark.parametrize("answer", [whole, slow])
def test_a_file_arrives_and_its_progress_is_told(serve, answer: Answer) -> None:
    path, steps = fetch(serve(answer).url)
    assert path.read_bytes() == CONTENT
    assert steps.begun == [("fetching model.bin", len(CONTENT))]
    assert steps.done == len(CONTENT)


def test_what_breaks_off_is_gone_on_with(serve) -> None:
    server = serve(cut_off, cut_off, whole)
    path, steps = fetch(server.url)
    assert path.read_bytes() == CONTENT
    assert steps.done == len(CONTENT), "what was there before the break counts, once"
    assert server.starts[0] == 0
    assert 0 < server.starts[1] < server.starts[2] <= 600_000


def test_a_server_without_ranges_begins_again(serve) -> None:
    server = serve(cut_off, whole_always)
    path, _ = fetch(server.url)
    assert path.read_bytes() == CONTENT


def test_a_later_call_goes_on_too(serve, models: Path) -> None:
    with pytest.raises(DownloadFailed, match="broke off"):
        fetch(serve(cut_off, nothing, nothing, nothing).url)
    server = serve(whole)
    path, _ = fetch(server.url)
    assert path.read_bytes() == CONTENT
    assert server.starts[0] > 0


def test_without_a_hash_a_later_call_begins_again(serve, models: Path) -> None:
    """Nothing could tell whether the parts belong together."""
    file = PublishedFile("model.bin", size=len(CONTENT))
    server = serve(cut_off, nothing, nothing, nothing, whole)
    with pytest.raises(DownloadFailed, match="broke off"):
        fetch(server.url, file=file)
    begun = len(server.starts)
    path, _ = fetch(server.url, file=file)
    assert path.read_bytes() == CONTENT
    assert server.starts[begun:] == [0]


def test_another_file_of_the_same_name_is_not_gone_on_with(serve, models: Path) -> None:
    """Two pulls at once then write into one another's part no more, either."""
    with pytest.raises(DownloadFailed, match="broke off"):
        fetch(serve(cut_off, nothing, nothing, nothing).url)
    (begun,) = models.iterdir()
    before, server = begun.read_bytes(), serve(other)
    namesake = PublishedFile("model.bin", sha256=hashlib.sha256(OTHER).hexdigest(), size=len(CONTENT))
    path, _ = fetch(server.url, file=namesake)
    assert (path.read_bytes(), server.starts) == (OTHER, [0])
    assert begun.read_bytes() == before


def test_another_file_is_refused_and_leaves_nothing(serve, models: Path) -> None:
    with pytest.raises(
        ChecksumMismatch, match="serves another file than was published .* nothing was installed"
    ):
        fetch(serve(other).url)
    assert list(models.iterdir()) == []


def test_a_published_md5_is_checked_where_there_is_no_sha256(serve) -> None:
    right = PublishedFile("model.bin", md5=hashlib.md5(CONTENT).hexdigest())
    assert fetch(serve(whole).url, file=right)[0].read_bytes() == CONTENT
    with pytest.raises(ChecksumMismatch):
        fetch(serve(other).url, file=PublishedFile("other.bin", md5=right.md5))


def test_the_next_place_is_tried(serve) -> None:
    bad, good = serve(missing), serve(whole)
    assert fetch(bad.url, good.url)[0].read_bytes() == CONTENT
    other_bad, other_good = serve(other), serve(whole)
    assert fetch(other_bad.url, other_good.url)[0].read_bytes() == CONTENT


def test_a_server_that_never_ends_is_stopped(serve, models: Path) -> None:
    with pytest.raises(DownloadFailed, match="sends more than it should, stopped after"):
        fetch(serve(too_long).url)
    (partial,) = models.iterdir()
    assert partial.stat().st_size < 3 * len(CONTENT)


def test_a_length_out_of_all_reason_is_refused(serve) -> None:
    with pytest.raises(DownloadFailed, match="announces 1,000,000,000,000 bytes where about 1,024,000 were"):
        fetch(serve(too_much_announced).url)


def test_a_server_that_says_nothing_is_given_up(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", httpx.Timeout(0.2))
    with pytest.raises(DownloadFailed, match="sent nothing for"):
        fetch(serve(stuck, stuck, stuck, stuck, stuck).url)


def test_no_network_is_told_within_seconds_with_what_to_do() -> None:
    assert module._PATIENCE.connect == 5
    with pytest.raises(DownloadFailed) as caught:
        fetch("http://127.0.0.1:9/model.bin", "http://nowhere.invalid/model.bin")
    text = str(caught.value)
    assert text.count("cannot be reached; is there a network?") == 2
    assert "if you have model.bin from elsewhere, import it" in text
    assert "dlib-resnet29" in text


@pytest.mark.parametrize("url", ["http://[::1/model.bin", "ftp://127.0.0.1/model.bin", "model.bin"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(DownloadFailed, match="model.bin: broke off"):
        fetch(url)


def test_a_full_disk_is_told_before_it_is_full(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    with pytest.raises(
        WeightsError, match="1 MB are needed and 1 MB are free; make room, or set KITH_MODELS"
    ):
        fetch(serve(whole).url)


def test_a_folder_that_cannot_be_written(serve, models: Path) -> None:
    models.touch()
    with pytest.raises(WeightsError, match="KITH_MODELS"):
        fetch(serve(whole).url)
