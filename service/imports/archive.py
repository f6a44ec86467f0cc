"""ZIP: each file in it is read as if it came alone, and named in what comes of it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from service.imports.packages import chunks, open_zip
from service.imports.records import MIB, FileRefused, Format, Options, Reading, Record, rejected

MAX_MEMBER_BYTES = 256 * MIB
_LEFT_OUT = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


def read_zip(file: BinaryIO, options: Options) -> Reading:
    """Read an archive of files.

    Raises:
        FileRefused: If it is damaged, holds nothing, or unpacks to too much.
    """
    package = open_zip(file)
    members = [m for m in package.infolist() if m.filename and not m.is_dir() and not _is_left_out(m.filename)]
    if not members:
        raise FileRefused("empty", "The archive holds no files.")
    names = [_label(member.filename) for member in members]
    return Reading(
        Format.ZIP, {"members": names[:200], "member_count": len(names)}, _records(package, members, options)
    )


def _is_left_out(name: str) -> bool:
    return any(part in name.lower() for part in _LEFT_OUT) or name.split("/")[-1].startswith("._")


def _label(name: str) -> str:
    """Return a name that is safe to show: no control characters, no lone surrogates."""
    shown = "".join(character if character.isprintable() else "?" for character in name[:300])
    return shown.encode("utf-8", "replace").decode("utf-8")


def _records(package: zipfile.ZipFile, members: list[zipfile.ZipInfo], options: Options) -> Iterator[Record]:
    for member in members:
        label = _label(member.filename)
        try:
            for record in _member_records(package, member, options):
                yield replace(record, member=f"{label}/{record.member}" if record.member else label)
        except FileRefused as error:
            yield Record(1, rejected("file", error.code, error.detail), member=label)


def _member_records(package: zipfile.ZipFile, member: zipfile.ZipInfo, options: Options) -> Iterator[Record]:
    from service.imports.formats import detect, open_file

    _check(member)
    with tempfile.TemporaryFile() as copy:
        for chunk in chunks(package, member):
            copy.write(chunk)
        inner = replace(options, name=member.filename.split("/")[-1], format=None)
        if detect(copy, inner) is Format.ZIP:
            raise FileRefused("nested_archive", "is an archive within an archive: put its files in directly")
        yield from open_file(copy, inner).records


def _check(member: zipfile.ZipInfo) -> None:
    parts = member.filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        raise FileRefused("unsafe_name", "has a name that leads out of the archive: pack it again")
    if member.file_size > MAX_MEMBER_BYTES:
        raise FileRefused("too_large", f"is over {MAX_MEMBER_BYTES // MIB} MB: send it alone")
