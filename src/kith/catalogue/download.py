"""A published file, fetched from wherever it can be had, and proven to be the right one.

What was fetched before a break stays beside the models and is gone on with, if the publisher's hash
can tell in the end that both parts belong together.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from kith.catalogue.builtin import DEFAULT_EMBEDDER
from kith.catalogue.installed import MODELS_VARIABLE, models_folder
from kith.catalogue.published.entries import PublishedFile
from kith.errors import ChecksumMismatch, DownloadFailed, Remedy, WeightsError
from kith.progress import BYTES, Progress

_log = logging.getLogger("kith")

_PATIENCE = httpx.Timeout(15.0, connect=5.0)  # seconds without a byte
_ATTEMPTS = 3  # that may bring nothing before the next place is tried
_SPARE = 50 << 20  # bytes that stay free on the disk
_MOST = 2 << 30  # bytes of a file whose size nobody gives


def download(file: PublishedFile, urls: tuple[str, ...], progress: Progress) -> Path:
    """Fetch a file, or the rest of it.

    Args:
        file: What to fetch.
        urls: Where, in this order.
        progress: Told how far it is.

    Returns:
        Where it lies, complete and proven; the caller deletes it.

    Raises:
        DownloadFailed: No place has it, or there is no network.
        ChecksumMismatch: What every place serves is another file.
        WeightsError: The disk is full or cannot be written.
    """
    partial = models_folder() / f".{file.name}.{_identity(file, urls)}.part"
    if not (file.sha256 or file.md5):
        _delete(partial)  # nothing could tell whether the parts belong together
    problems = []
    for url in urls:
        try:
            _fetch(url, file, partial, progress)
            _prove(partial, file, url)
            _log.info("kith: downloaded %s from %s", file.name, url)
            return partial
        except (DownloadFailed, ChecksumMismatch) as error:
            problems.append(error)
    if any(isinstance(problem, ChecksumMismatch) for problem in problems):
        raise ChecksumMismatch(f"{'; '.join(map(str, problems))}; nothing was installed")
    raise DownloadFailed(
        f"{'; '.join(map(str, problems))}; if you have {file.name} from elsewhere, import it, "
        f"or work with the built-in {DEFAULT_EMBEDDER}",
        remedy=Remedy.IMPORT_FILE,
    )


def _identity(file: PublishedFile, urls: tuple[str, ...]) -> str:
    """Other for another file of the same name, which must not be gone on with."""
    return hashlib.sha256((file.sha256 or file.md5 or "\n".join(urls)).encode()).hexdigest()[:8]


def _fetch(url: str, file: PublishedFile, partial: Path, progress: Progress) -> None:
    """Fetch from one place, taking up again after every break that follows some progress."""
    failures = 0
    with httpx.Client(timeout=_PATIENCE, follow_redirects=True) as client:
        while True:
            before = _size(partial)
            try:
                _fetch_rest(client, url, file, partial, progress)
                return
            except httpx.TransportError as error:
                failures = 0 if _size(partial) > before else failures + 1
                if failures >= (1 if isinstance(error, httpx.ConnectError) else _ATTEMPTS):
                    raise DownloadFailed(f"{url}: {_explain(error)}") from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise DownloadFailed(f"{url}: {_explain(error)}") from None


def _fetch_rest(
    client: httpx.Client, url: str, file: PublishedFile, partial: Path, progress: Progress
) -> None:
    start = _size(partial)
    # identity: a length in bytes of something compressed on the way would say nothing
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all is here, or too much; the hash will tell
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise DownloadFailed(f"{url}: the server answered {response.status_code}")
        if not _continues_at(response, start):
            start = 0
        announced = response.headers.get("Content-Length", "")
        total = start + int(announced) if announced.isdecimal() else 0
        most = max(2 * file.size, total) if file.size else _MOST
        if file.size and total > 4 * file.size:
            raise DownloadFailed(f"{url}: announces {total:,} bytes where about {file.size:,} were expected")
        _require_room(partial.parent, (total or file.size) - start)
        _save(response.iter_bytes(), partial, start, total, most, progress, url)


def _continues_at(response: httpx.Response, start: int) -> bool:
    """Whether a response goes on where the file ends; a server may also begin again."""
    return response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get(
        "Content-Range", ""
    ).startswith(f"bytes {start}-")


def _save(
    chunks: Iterator[bytes], partial: Path, start: int, total: int, most: int, progress: Progress, url: str
) -> None:
    done = start
    progress.begin(f"fetching {url.rpartition('/')[2]}", total, done=start, unit=BYTES)
    for chunk in chunks:
        with _on_disk(partial), partial.open("r+b" if partial.exists() else "wb") as target:
            target.truncate(done)  # only now: a server that begins again may break off before the first byte
            target.seek(done)
            target.write(chunk)
        done += len(chunk)
        progress.advance(len(chunk))
        if done > most:
            raise DownloadFailed(f"{url}: sends more than it should, stopped after {done:,} bytes")


def _prove(partial: Path, file: PublishedFile, url: str) -> None:
    """Compare with the publisher's hash; a file that is not the right one is deleted."""
    wanted = file.sha256 or file.md5
    if not wanted:
        return
    with _on_disk(partial), partial.open("rb") as content:
        found = hashlib.file_digest(content, "sha256" if file.sha256 else "md5").hexdigest()
    if found != wanted:
        _delete(partial)
        raise ChecksumMismatch(f"{url}: serves another file than was published (hash {found[:12]}...)")


def _require_room(folder: Path, size: int) -> None:
    with _on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise WeightsError(
            f"{folder}: {size / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free; "
            f"make room, or set {MODELS_VARIABLE} to another folder"
        )


@contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WeightsError(
            f"{path}: {error.strerror or error}; set {MODELS_VARIABLE} to a folder with room"
        ) from None


def _explain(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "cannot be reached; is there a network?"
    if isinstance(error, httpx.TimeoutException):
        return f"sent nothing for {_PATIENCE.read:.0f} seconds"
    return f"broke off ({str(error) or type(error).__name__})"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _delete(path: Path) -> None:
    with _on_disk(path):
        path.unlink(missing_ok=True)
