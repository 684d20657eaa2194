"""One file of many: one form, which every tar reads."""

from __future__ import annotations

import io
import subprocess
import tarfile

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.tlog import archive
from bootstrap.core.tlog.archive import ArchiveMalformed

NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1)
FILES = st.dictionaries(NAMES.map(lambda name: name[:100]), st.binary(max_size=1200))
SOME = {"a": b"", "b/c.json": b"{}", "z": b"x" * 512, "é".encode().hex(): b"y" * 513}


@given(FILES)
def test_what_is_packed_comes_out_again(files):
    packed = archive.pack(files)

    assert archive.unpack(packed) == files
    assert len(packed) % 10_240 == 0


@given(FILES)
def test_it_is_what_another_writer_of_the_form_makes(files):
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            made.addfile(member, io.BytesIO(files[name]))

    assert archive.pack(files) == other.getvalue()


def test_the_systems_tar_reads_it(tmp_path):
    (tmp_path / "a.tar").write_bytes(archive.pack(SOME))

    subprocess.run(["tar", "xf", "a.tar"], cwd=tmp_path, check=True)

    assert {name: (tmp_path / name).read_bytes() for name in SOME} == SOME


@given(st.data())
def test_no_other_octets_than_those_of_the_form_are_read(data):
    packed = bytearray(archive.pack(SOME))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))

    try:
        read = archive.unpack(bytes(packed))
    except ArchiveMalformed:
        return

    assert read != SOME
    assert archive.pack(read) == packed


@given(st.binary(max_size=2000))
def test_octets_without_order_are_refused(octets):
    with pytest.raises(ArchiveMalformed, match=r"\w"):
        archive.unpack(octets)


def test_the_end_of_a_file_is_not_cut_off():
    packed = archive.pack(SOME)

    within = packed.index(b"x" * 512) + 100
    for end in (0, 100, 512, 1000, within, len(packed) - 512, len(packed) - 1):
        with pytest.raises(ArchiveMalformed):
            archive.unpack(packed[:end])
    with pytest.raises(ArchiveMalformed):
        archive.unpack(packed + bytes(10_240))


def test_a_file_is_there_once_and_in_order():
    one, two = archive.pack({"a": b"1"})[:1024], archive.pack({"b": b"2"})[:1024]
    end = bytes(10_240 - 2048)

    assert archive.unpack(one + two + end) == {"a": b"1", "b": b"2"}
    for wrong in (two + one + end, one + one + end):
        with pytest.raises(ArchiveMalformed, match="out of order, or twice"):
            archive.unpack(wrong)


@pytest.mark.parametrize("name", ["", "x" * 101, "ä"])
def test_a_name_that_the_form_cannot_hold_is_not_packed(name):
    with pytest.raises(ValueError, match=r"name of a file|ascii"):
        archive.pack({name: b""})


def test_more_than_the_limit_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(archive, "MAX_OCTETS", 100)

    with pytest.raises(ArchiveMalformed, match="larger than 100"):
        archive.unpack(archive.pack(SOME))


def test_a_file_that_is_longer_than_the_archive_is_cut_off():
    with pytest.raises(ArchiveMalformed, match="a is cut off"):
        archive.unpack(archive.pack({"a": bytes(20_000)})[:10_240])
