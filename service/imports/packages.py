"""Zip files, looked at before they are unpacked: the real sizes, no DTD in their XML."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from service.imports.records import MIB, FileRefused

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 768 * MIB
MAX_RATIO = 200
RATIO_FROM_BYTES = 16 * MIB  # small files of blanks compress well and harm nobody
MAX_SHARED_STRINGS_BYTES = 128 * MIB
CHUNK_BYTES = 64 * 1024
MAX_FORMATS = 100_000  # tags of what describes a workbook: formats, names, parts
MAX_XML_DEPTH = 1_000  # office programs write some dozens
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DESCRIPTION = re.compile(r"(?:xl/(?:styles|workbook)\.xml|\.rels|\[content_types\]\.xml)$", re.IGNORECASE)
_BOMB = "The file unpacks to far more than it should: save it again without embedded data, or split it."


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip file whose directory can be believed.

    Raises:
        FileRefused: If it is damaged, encrypted, or unpacks to too much.
    """
    file.seek(0)
    try:
        package = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError):
        raise FileRefused("damaged", "The file is damaged or cut off: send it again, whole.") from None
    members = package.infolist()
    total, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if len(members) > MAX_MEMBERS:
        raise FileRefused(
            "too_many_members", f"The archive holds {len(members)} files; {MAX_MEMBERS} are the most: split it."
        )
    if total > MAX_UNPACKED_BYTES or (total > RATIO_FROM_BYTES and total > MAX_RATIO * max(packed, 1)):
        raise FileRefused("zip_bomb", _BOMB)
    return package


class XmlDepth:
    """Counts how many elements of an XML stream are open, piece by piece, so that no parser has to hold too many."""

    def __init__(self) -> None:
        self._open = 0
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        """Look at the next piece.

        Raises:
            FileRefused: If elements are nested over 1,000 deep.
        """
        piece = self._rest + (chunk.replace(b"\x00", b"") if b"\x00" in chunk else chunk)  # UTF-16
        self._rest = piece[-1:] if piece[-1:] in {b"<", b"/"} else b""
        piece = piece[: len(piece) - len(self._rest)]
        ends, others = piece.count(b"</"), piece.count(b"<!") + piece.count(b"<?")
        self._open += piece.count(b"<") - others - 2 * ends - piece.count(b"/>")
        if self._open > MAX_XML_DEPTH:
            raise FileRefused("damaged", "The file's XML is nested deeper than any program writes: save it again.")


def check_package(file: BinaryIO) -> None:
    """Unpack an Office file once, keeping nothing: its real sizes, and that no XML in it has a DTD.

    Raises:
        FileRefused: If it is damaged, encrypted, unpacks to too much, holds a DTD, or is nested without end.
    """
    package = open_zip(file)
    packed = max(1, sum(m.compress_size for m in package.infolist()))
    total = 0
    for member in package.infolist():
        size = formats = 0
        tail = b""
        depth = XmlDepth()
        is_xml = member.filename.lower().endswith((".xml", ".rels", ".vml"))
        for chunk in chunks(package, member):
            if is_xml and _has_dtd(tail + chunk):
                raise FileRefused(
                    "xml_dtd", "The file holds XML with a DTD, which no office program writes: save it again."
                )
            if is_xml:
                depth.add(chunk)
            tail = chunk[-32:]
            size += len(chunk)
            total += len(chunk)
            formats += chunk.count(b"<") if _DESCRIPTION.search(member.filename) else 0
            if formats > MAX_FORMATS:
                raise FileRefused("too_large", "The workbook holds too many formats or names: save it as CSV.")
            if total > MAX_UNPACKED_BYTES or (total > RATIO_FROM_BYTES and total > MAX_RATIO * packed):
                raise FileRefused("zip_bomb", _BOMB)
        if member.filename.endswith("sharedStrings.xml") and size > MAX_SHARED_STRINGS_BYTES:
            raise FileRefused(
                "too_large", "The workbook holds over 128 MB of text: save it as CSV, which has no such limit."
            )


def unpack_gzip(file: BinaryIO, copy: BinaryIO) -> None:
    """Write what a gzip file holds to another.

    Raises:
        FileRefused: If it is damaged, or unpacks to too much.
    """
    size = 0
    file.seek(0)
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            while chunk := packed.read(CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_UNPACKED_BYTES or (size > RATIO_FROM_BYTES and size > MAX_RATIO * file.tell()):
                    raise FileRefused("zip_bomb", _BOMB)
                copy.write(chunk)
    except (OSError, EOFError, zlib.error):
        raise FileRefused("damaged", "The file is damaged or cut off: send it again, whole.") from None


def _has_dtd(chunk: bytes) -> bool:
    return bool(_DTD.search(chunk) or (b"\x00" in chunk and _DTD.search(chunk.replace(b"\x00", b""))))


def chunks(package: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Read a member piece by piece.

    Raises:
        FileRefused: If it is damaged or encrypted.
    """
    if member.flag_bits & 0x1:
        raise FileRefused("encrypted", "The file is protected by a password: save it without.")
    try:
        with package.open(member) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        raise FileRefused("damaged", "The file is damaged or cut off: send it again, whole.") from None
