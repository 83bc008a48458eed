"""Strangers' ZIPs and folders: everything hostile gets its verdict, everything harmless is read."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest
from hostile import ATTACKS, make_hostile_folder, pack

from grading.intake import LIMITS, Intake, Limits, take_in
from handin.rules import Status

GOOD = {
    "report.pdf": b"%PDF-1.7\n" + bytes(range(256)) * 20,
    "code/mlp.py": b"import torch\n",
    "notebook.ipynb": b"{}",
}


def _messages(intake: Intake) -> str:
    return "\n".join(f"{finding.status} {finding.place}: {finding.message}" for finding in intake.findings)


def test_a_good_zip_is_read_whole(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", GOOD)
    intake = take_in(tmp_path / "a.zip")
    assert intake.files == GOOD
    assert [finding.status for finding in intake.findings] == [Status.PASS]


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_gets_its_verdict(tmp_path: Path, name: str) -> None:
    attack, path = ATTACKS[name], tmp_path / "in" / "a.zip"
    path.parent.mkdir()
    attack.write(path, GOOD)
    intake = take_in(path)
    verdict = [finding for finding in intake.findings if attack.verdict in finding.message]
    assert verdict, _messages(intake)
    assert all(finding.remedy or finding.status is Status.CANNOT_TELL for finding in verdict)
    if attack.readable:
        assert intake.files.items() >= GOOD.items(), _messages(intake)
        assert not any(finding.status is Status.PASS for finding in intake.findings) or name == "odd-encoding"
    else:
        assert intake.refused
    assert sorted(tmp_path.rglob("*")) == [path.parent, path], "reading wrote something"


def test_names_that_reach_the_terminal_hold_no_control_characters(tmp_path: Path) -> None:
    for name, attack in ATTACKS.items():
        path = tmp_path / f"{name}.zip"
        attack.write(path, GOOD)
        text = _messages(take_in(path)).replace("\n", "")
        assert text.isprintable(), name


def test_a_folder_is_read_without_following_links_or_opening_pipes(tmp_path: Path) -> None:
    make_hostile_folder(tmp_path / "a", GOOD)
    intake = take_in(tmp_path / "a")
    assert intake.files == GOOD
    faults = {finding.place: finding.message for finding in intake.findings}
    assert faults.keys() == {"loop", "passwords.txt", "pipe.py"}
    assert "symbolic link" in faults["loop"]
    assert "symbolic link" in faults["passwords.txt"]
    assert "not a plain file" in faults["pipe.py"]


def test_a_link_in_the_place_of_a_hand_in_is_refused(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", GOOD)
    (tmp_path / "b.zip").symlink_to(tmp_path / "a.zip")
    (tmp_path / "c").symlink_to("/etc", target_is_directory=True)
    assert "symbolic link" in _messages(take_in(tmp_path / "b.zip"))
    assert "symbolic link" in _messages(take_in(tmp_path / "c"))


def test_a_name_no_encoding_knows_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_bytes(b"x = 1")
    try:
        os.close(os.open(os.fsencode(tmp_path / "a") + b"/\xff\xfe.py", os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    intake = take_in(tmp_path / "a")
    assert list(intake.files) == ["x.py"]
    assert "no known encoding" in _messages(intake)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_bytes(b"x = 1")
    (tmp_path / "a" / "y.py").write_bytes(b"y = 1")
    (tmp_path / "a" / "y.py").chmod(0)
    intake = take_in(tmp_path / "a")
    assert list(intake.files) == ["x.py"]
    assert "cannot be read" in _messages(intake)


def test_limits_hold_for_folders_too(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for i in range(5):
        (tmp_path / "a" / f"{i}.txt").write_bytes(b"x" * 100)
    assert "too many entries" in _messages(take_in(tmp_path / "a", Limits(entries=4)))
    assert "too large" in _messages(take_in(tmp_path / "a", Limits(total=450)))
    one = take_in(tmp_path / "a", Limits(file=99))
    assert one.refused
    assert "100 bytes, at most 99" in _messages(one)


def test_a_file_just_within_the_limits_is_read(tmp_path: Path) -> None:
    data = os.urandom(1000)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
            archive.writestr("a/x.bin", data)
            archive.writestr("a/y.bin", data)
        intake = take_in(tmp_path / "a.zip", Limits(file=1000, total=2000, entries=2))
        assert intake.files == {"x.bin": data, "y.bin": data}


def test_the_folder_that_many_tools_pack_around_the_files_is_taken_off(tmp_path: Path) -> None:
    wrapped = {f"dl24-1-alovelac/{name}": data for name, data in GOOD.items()}
    pack(tmp_path / "a.zip", {**wrapped, "__MACOSX/dl24-1-alovelac/._report.pdf": b"x"})
    intake = take_in(tmp_path / "a.zip")
    assert intake.files == GOOD
    assert [finding.status for finding in intake.findings] == [Status.PASS]


def test_forgotten_environments_are_mentioned_and_not_read(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", {**GOOD, ".venv/lib/numpy.py": b"import numpy", "code/x.pyc": b"x"})
    intake = take_in(tmp_path / "a.zip")
    assert intake.files == GOOD
    assert "not looked at: *.pyc (1), .venv (1)" in _messages(intake)


def test_of_many_faults_some_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", {**GOOD, **{f"../{number}": b"" for number in range(3000)}})
    intake = take_in(tmp_path / "a.zip")
    assert intake.files == GOOD
    assert len(intake.findings) == 51
    assert "2950 more entries like these" in _messages(intake)


def test_umlauts_emoji_and_other_scripts_are_ordinary_names(tmp_path: Path) -> None:
    files = {**GOOD, "Lösung.txt": b"1", "🦉/שלום.py": b"2", "名前 (2).txt": b"3", "x'y\"z.txt": b"4"}
    pack(tmp_path / "a.zip", files)
    assert take_in(tmp_path / "a.zip").files == files


def test_utf8_names_that_are_not_marked_are_read_as_utf8(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", {"L__sung.txt": b"1"})
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"L__sung", "Lösung".encode()))
    assert list(take_in(tmp_path / "a.zip").files) == ["Lösung.txt"]


def test_formats_that_build_on_zip_are_no_nested_archives(tmp_path: Path) -> None:
    pack(tmp_path / "inner.zip", {"x": b"1"})
    inner = (tmp_path / "inner.zip").read_bytes()
    pack(tmp_path / "a.zip", {"data.npz": inner, "model.pt": inner})
    assert [finding.status for finding in take_in(tmp_path / "a.zip").findings] == [Status.PASS]


def test_a_missing_path_is_a_finding(tmp_path: Path) -> None:
    assert "cannot be read" in _messages(take_in(tmp_path / "nothing.zip"))


def test_the_limits_stay_below_what_two_workers_may_use() -> None:
    assert LIMITS.total + LIMITS.file < 256 * 2**20
    assert stat.S_IFMT(0o120777) == stat.S_IFLNK
