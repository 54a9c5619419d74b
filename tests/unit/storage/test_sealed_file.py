"""The encrypted file of lines: what is written is read again, and whatever was done to it is noticed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from storage.backups.sealed_file import MAGIC, UnreadableFile, read_header, read_lines, write_lines
from tests.rows import PHONE, SECRET

LINES = [f'["a", {number}, "{PHONE} 中文 {"x" * (number % 97)}"]' for number in range(30_000)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mpops.backup"
    write_lines(path, SECRET, {"schema": "0001"}, iter(LINES))
    return path


def test_what_was_written_is_read(file: Path) -> None:
    assert list(read_lines(file, [SECRET])) == LINES
    assert list(read_lines(file, ["another secret key of ours", SECRET])) == LINES
    assert read_header(file)["schema"] == "0001"


def test_nothing_of_it_stands_there_in_plain_and_only_its_owner_may_read_it(file: Path) -> None:
    raw = file.read_bytes()
    assert PHONE.encode() not in raw
    assert SECRET.encode() not in raw
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file], "no half-written file stays behind"


def test_the_same_lines_never_give_the_same_file(file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    write_lines(again, SECRET, {"schema": "0001"}, iter(LINES))
    assert again.read_bytes()[len(MAGIC) + 300 :] != file.read_bytes()[len(MAGIC) + 300 :]


def test_an_empty_list_of_lines_is_whole_too(tmp_path: Path) -> None:
    write_lines(tmp_path / "none", SECRET, {}, [])
    assert list(read_lines(tmp_path / "none", [SECRET])) == []


def test_a_file_of_many_parts_is_read_and_its_parts_cannot_change_places(tmp_path: Path) -> None:
    import os

    path = tmp_path / "large"
    lines = [os.urandom(20_000).hex() for _ in range(150)]  # does not compress below two parts
    write_lines(path, SECRET, {}, iter(lines))
    assert list(read_lines(path, [SECRET])) == lines
    raw = path.read_bytes()
    start = len(MAGIC) + 4 + int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 4], "big")
    size = 4 + int.from_bytes(raw[start : start + 4], "big")
    first, second, rest = raw[start : start + size], raw[start + size : start + 2 * size], raw[start + 2 * size :]
    assert len(second) == size
    assert rest
    for tampered in (second + first + rest, first + rest, second + rest, first + second, first):
        path.write_bytes(raw[:start] + tampered)
        with pytest.raises(UnreadableFile):
            list(read_lines(path, [SECRET]))


@pytest.mark.parametrize("place", [0, 5, len(MAGIC) + 2, len(MAGIC) + 30, 400, 2000, -1])
def test_one_changed_byte_anywhere_is_noticed(file: Path, place: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[place] ^= 1
    file.write_bytes(raw)
    with pytest.raises(UnreadableFile):
        list(read_lines(file, [SECRET]))


@pytest.mark.parametrize("kept", [0, 3, len(MAGIC), len(MAGIC) + 4, len(MAGIC) + 50, -1, -20])
def test_a_file_cut_off_is_noticed(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UnreadableFile):
        list(read_lines(file, [SECRET]))


def test_something_added_at_the_end_is_noticed(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(UnreadableFile):
        list(read_lines(file, [SECRET]))


def test_another_secret_key_is_told_apart_by_fingerprints_and_never_shown(file: Path) -> None:
    with pytest.raises(UnreadableFile, match="another secret key") as raised:
        list(read_lines(file, ["some other secret key!"]))
    assert "some other" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_an_older_backup_is_never_overwritten(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        write_lines(file, SECRET, {}, ["new"])
    assert file.read_bytes() == before


def test_a_backup_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    def lines() -> object:
        yield "one"
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        write_lines(tmp_path / "half", SECRET, {}, lines())  # type: ignore[arg-type]  # a generator of lines
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_backup_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("my notes")
    for path in (tmp_path / "notes.txt", tmp_path / "missing", tmp_path):
        with pytest.raises(UnreadableFile):
            list(read_lines(path, [SECRET]))
