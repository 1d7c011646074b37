import os
import subprocess
import sys
from pathlib import Path

import pytest

from kith import folders
from kith.folders import cache_folder, data_folder, own_folders, scratch_folder

HOLDS_ONE = """
import sys
from kith.folders import scratch_folder
with scratch_folder() as folder:
    (folder / "half a model").write_bytes(bytes(1000))
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, and no place that was chosen for the cache."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    for name in ("KITH_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def no_home(*_: object) -> str:
    raise RuntimeError("could not determine the home directory")


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "kith"
    monkeypatch.setenv("KITH_CACHE", str(tmp_path / "chosen"))
    assert cache_folder() == tmp_path / "chosen"


def test_a_user_without_a_home_has_a_cache_of_his_own(
    monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", no_home)
    monkeypatch.setattr("platformdirs.user_data_dir", no_home)
    found = cache_folder()
    assert found == cache_folder() == temporary / f"kith-cache-{os.getuid()}"
    assert found.stat().st_mode & 0o777 == 0o700
    assert data_folder().is_absolute()
    assert not data_folder().is_relative_to(temporary), "people are not kept among temporary files"


def test_a_home_that_cannot_be_written_is_not_used(
    monkeypatch: pytest.MonkeyPatch, temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    assert cache_folder().parent == temporary


def test_a_cache_that_is_there_is_read_though_it_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.access", lambda *_: False)
    (tmp_path / ".cache" / "kith").mkdir(parents=True)
    assert cache_folder() == tmp_path / ".cache" / "kith"


@pytest.mark.parametrize("kind", ["open to all", "a link"])
def test_models_that_others_may_have_put_there_are_not_run(
    monkeypatch: pytest.MonkeyPatch, temporary: Path, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", no_home)
    taken = temporary / f"kith-cache-{os.getuid()}"
    if kind == "a link":
        taken.symlink_to(tmp_path)
    else:
        taken.mkdir()
        taken.chmod(0o777)
    assert cache_folder() == folders._NO_HOME


def test_scratch_of_killed_processes_goes_and_that_of_others_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KITH_CACHE", str(tmp_path))
    command = [sys.executable, "-c", HOLDS_ONE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as works, subprocess.Popen(command, **pipes) as killed:
        busy, dead = Path(works.stdout.readline().strip()), Path(killed.stdout.readline().strip())
        killed.kill()
        killed.wait()
        assert list(dead.iterdir())
        with scratch_folder() as own:
            assert own.parent == tmp_path
            assert own.stat().st_mode & 0o777 == 0o700
            assert (own.exists(), busy.exists(), dead.exists()) == (True, True, False)
        assert (own.exists(), busy.exists()) == (False, True)
        works.stdin.close()
    assert not busy.exists()


def _usage(free: int) -> object:
    return type("Usage", (), {"free": free})


def test_scratch_is_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, temporary: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("KITH_CACHE", str(tmp_path / "cache"))

    monkeypatch.setattr(
        "shutil.disk_usage", lambda place: _usage(2 << 30 if temporary in place.parents else 1000)
    )
    with scratch_folder() as folder:
        assert temporary in folder.parents


def test_no_place_for_scratch_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(OSError, match="no folder can be written"), scratch_folder():
        pass


def test_other_libraries_folders_are_ours_for_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KITH_CACHE", str(tmp_path))
    monkeypatch.setenv("ONE_HOME", "/the/users")
    monkeypatch.delenv("OTHER_HOME", raising=False)
    with own_folders("ONE_HOME", "OTHER_HOME"):
        assert os.environ["ONE_HOME"] == str(tmp_path / "one_home")
        assert os.environ["OTHER_HOME"] == str(tmp_path / "other_home")
    assert os.environ["ONE_HOME"] == "/the/users"
    assert "OTHER_HOME" not in os.environ
