"""An IMAP4rev1 server on loopback, as far as reading a mailbox goes: UIDs, UIDVALIDITY, literals, MOVE, cut lines."""

from __future__ import annotations

import base64
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "notes@firm.example", 'pass "word" \\ long'
_ATOM = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\([^()]*\))|([^\s()]+)')


@dataclass
class Folder:
    """Messages by UID: when each arrived, and its bytes; `deleted` are those marked so."""

    validity: int = 1
    messages: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    next_uid: int = 1

    def add(self, raw: bytes, arrived: str = "14-Sep-2026 10:20:00 +0200") -> int:
        uid = self.next_uid
        self.messages[uid] = (arrived, raw)
        self.next_uid += 1
        return uid


@dataclass
class Mail:
    """A mailbox, what the server can, and after how many bodies it cuts the line."""

    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder()})
    capabilities: str = "IMAP4rev1 UIDPLUS MOVE"
    cut_after: int | None = None
    sent: int = 0
    commands: list[str] = field(default_factory=list)
    port: int = 0
    token: str = "token-1"

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]


class _Cut(Exception):
    """The line breaks."""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.mail: Mail = self.server.mail  # type: ignore[attr-defined]
        self.folder: Folder | None = None
        self._say(b"* OK ready")
        try:
            while line := self.rfile.readline(65_536):
                tag, _, rest = line.strip().partition(b" ")
                words = [bytes(a or b or c) for a, b, c in _ATOM.findall(rest)]
                words = [word.replace(b'\\"', b'"').replace(b"\\\\", b"\\") for word in words]
                name = words[0].upper()
                if name == b"UID":
                    name, words = b"UID " + words[1].upper(), words[1:]
                self.mail.commands.append(name.decode())
                self._say(tag + b" " + self._answer(name, words[1:]))
                if name == b"LOGOUT":
                    return
        except (_Cut, ConnectionError, UnicodeDecodeError):
            return

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _answer(self, name: bytes, words: list[bytes]) -> bytes:
        if name.startswith(b"UID ") and self.folder:
            spec = words[1] if name == b"UID SEARCH" else words[0]
            uids = list(_named(spec.decode(), sorted(self.folder.messages)))
            getattr(self, f"_uid_{name[4:].decode().lower()}")(uids, words, self.folder)
            return b"OK done"
        answer = getattr(self, f"_{name.decode().lower()}", None)
        return (answer(words) or b"OK done") if answer else b"BAD unknown"

    def _noop(self, _words: list[bytes]) -> None:
        pass

    def _capability(self, _words: list[bytes]) -> None:
        self._say(b"* CAPABILITY " + self.mail.capabilities.encode())

    def _login(self, words: list[bytes]) -> bytes | None:
        return None if [word.decode() for word in words] == [USER, PASSWORD] else b"NO [AUTHENTICATIONFAILED] wrong"

    def _authenticate(self, words: list[bytes]) -> bytes | None:
        self._say(b"+ ")
        said = base64.b64decode(self.rfile.readline(65_536))
        expected = f"user={USER}\x01auth=Bearer {self.mail.token}\x01\x01".encode()
        return None if words[0].upper() == b"XOAUTH2" and said == expected else b"NO [AUTHENTICATIONFAILED] wrong"

    def _select(self, words: list[bytes]) -> bytes | None:
        self.folder = self.mail.folders.get(words[0].decode())
        if self.folder is None:
            return b"NO no such folder"
        self._say(b"* %d EXISTS" % len(self.folder.messages))
        self._say(b"* OK [UIDVALIDITY %d] valid" % self.folder.validity)
        return None

    _examine = _select

    def _list(self, words: list[bytes]) -> None:
        if words[1].decode() in self.mail.folders:
            self._say(b'* LIST () "/" "' + words[1] + b'"')

    def _create(self, words: list[bytes]) -> None:
        self.mail.folders[words[0].decode()] = Folder()

    def _logout(self, _words: list[bytes]) -> None:
        self._say(b"* BYE")

    def _uid_search(self, uids: list[int], words: list[bytes], folder: Folder) -> None:
        left = [uid for uid in uids if uid not in folder.deleted or b"UNDELETED" not in words]
        self._say(b"* SEARCH " + " ".join(map(str, left)).encode())

    def _uid_fetch(self, uids: list[int], words: list[bytes], folder: Folder) -> None:
        for number, uid in enumerate(uids, start=1):
            self._fetch(number, uid, folder, words[1].upper())

    def _uid_store(self, uids: list[int], _words: list[bytes], folder: Folder) -> None:
        folder.deleted.update(uids)

    def _uid_copy(self, uids: list[int], words: list[bytes], folder: Folder) -> None:
        for uid in uids:
            self.mail.folders[words[1].decode()].add(folder.messages[uid][1])

    def _uid_move(self, uids: list[int], words: list[bytes], folder: Folder) -> None:
        self._uid_copy(uids, words, folder)
        self._uid_expunge(uids, words, folder)

    def _uid_expunge(self, uids: list[int], _words: list[bytes], folder: Folder) -> None:
        for uid in uids:
            del folder.messages[uid]

    def _fetch(self, number: int, uid: int, folder: Folder, items: bytes) -> None:
        arrived, raw = folder.messages[uid]
        if b"BODY" not in items:
            size = b"RFC822.SIZE %d" % len(raw)
            self._say(b'* %d FETCH (UID %d %b INTERNALDATE "%b")' % (number, uid, size, arrived.encode()))
            return
        if self.mail.sent == self.mail.cut_after:
            self.wfile.write(b"* %d FETCH (UID %d BODY[] {%d}\r\n%b" % (number, uid, len(raw), raw[:10]))
            raise _Cut
        self.mail.sent += 1
        self._say(b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)" % (number, uid, len(raw), raw))


def _named(spec: str, known: list[int]) -> Iterator[int]:
    """Give the UIDs of a set such as `3:5,9` or `7:*`, which holds the last one whatever it is."""
    last = known[-1] if known else 0
    for part in spec.split(","):
        first, _, end = part.partition(":")
        bounds = sorted(last if one == "*" else int(one) for one in (first, end or first))
        yield from (uid for uid in known if bounds[0] <= uid <= bounds[1])


@contextmanager
def imap_server() -> Iterator[Mail]:
    """Run a server on a free port of loopback."""
    mail = Mail()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.mail = mail  # type: ignore[attr-defined]
        mail.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield mail
        server.shutdown()
        thread.join()
