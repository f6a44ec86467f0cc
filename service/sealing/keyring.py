"""The keys that seal secrets: from a file of the data folder, from a setting, or from both.

A key is 32 random bytes in URL-safe base64, as Fernet has it (AES-128-CBC and HMAC-SHA256). The first key seals, all of
them open, so that keys can be exchanged while the service runs: the file is read again when it changes.
"""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import StartRefused, Unavailable

if TYPE_CHECKING:  # it takes a while to load, and many commands open no secret
    from cryptography.fernet import MultiFernet

KEY_FILE = "secrets.key"
UNREADABLE = "secrets_unreadable"
_KEY_BYTES = 32
_MOST_OPENED = 1000


class _Loaded:
    """Keys as they were read at one moment, and what they opened: each delivery of a sender opens the same few."""

    def __init__(self, stamp: tuple[int, int, int] | None, in_file: list[str], given: list[str]) -> None:
        self.stamp, self.in_file = stamp, in_file
        self.keys = [*given, *(one for one in in_file if one not in given)]
        self.opened: dict[str, str] = {}

    @cached_property
    def fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self.keys])


class Keyring:
    """Keys in the order in which they are tried; those of the setting stand before those of the file.

    Threads share it: what was read is exchanged as a whole.
    """

    def __init__(self, path: Path, given: str = "") -> None:
        """Name the file, which need not be there, and the keys of the setting."""
        self.path = path
        self.given = read_keys(given)
        self._loaded = _Loaded(None, [], self.given)

    def ensure(self) -> None:
        """Make a key where there is none. Of several processes that start together one makes it, and all have it.

        Raises:
            StartRefused: If the file can't be read or written, or holds something else.
        """
        try:
            if not self.keys():
                write_keys(self.path, [new_key()], replace=False)
        except OSError as error:
            raise StartRefused(f"The key of the secrets, {self.path}, can't be used: {error.strerror}.") from None

    def keys(self) -> list[str]:
        """Return the keys as they stand now; those of a file that is gone meanwhile count on.

        Raises:
            StartRefused: If the file holds no keys.
        """
        return list(self._current().keys)

    def _current(self) -> _Loaded:
        loaded = self._loaded
        try:
            seen = os.stat(self.path)
        except FileNotFoundError:
            return loaded
        stamp = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        if stamp != loaded.stamp:
            self._loaded = loaded = _Loaded(stamp, self._read_file(), self.given)
        return loaded

    def _read_file(self) -> list[str]:
        try:
            found = read_keys(self.path.read_text(encoding="ascii"))
        except ValueError:
            raise StartRefused(f"{self.path} holds no key of secrets: put back the file that was there.") from None
        if not found:
            raise StartRefused(f"{self.path} is empty: put back the file that was there.")
        return found

    def _usable(self) -> _Loaded:
        loaded = self._current()
        if not loaded.keys:
            raise Unavailable(
                f"The key of the secrets is missing ({self.path}, or BINOME_SECRETS_KEY): `binome doctor` says more.",
                code=UNREADABLE,
            )
        return loaded

    def seal(self, text: str) -> str:
        """Return a text sealed by the first key."""
        return self._usable().fernet.encrypt(text.encode()).decode()

    def reseal(self, token: str) -> str:
        """Return a sealed text sealed anew by the first key."""
        return self.seal(self.open(token))

    def open(self, token: str) -> str:
        """Return what was sealed.

        Raises:
            Unavailable: If no key opens it.
        """
        loaded = self._usable()
        found = loaded.opened.get(token)
        return self._decrypted(loaded, token) if found is None else found

    def _decrypted(self, loaded: _Loaded, token: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            text = loaded.fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            raise Unavailable(
                "A secret in the database was sealed by another key than those at hand: `binome doctor` says more.",
                code=UNREADABLE,
            ) from None
        if len(loaded.opened) >= _MOST_OPENED:
            loaded.opened.clear()
        loaded.opened[token] = text
        return text


def new_key() -> str:
    """Make a key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def read_keys(text: str) -> list[str]:
    """Read keys that stand in lines, or with commas or spaces between.

    Raises:
        ValueError: If one of them is none.
    """
    keys = text.replace(",", " ").split()
    for key in keys:
        if len(base64.b64decode(key, altchars=b"-_", validate=True)) != _KEY_BYTES:
            raise ValueError("a key has 32 bytes")
    return keys


def write_keys(path: Path, keys: list[str], *, replace: bool = True) -> None:
    """Write keys into a file that only its owner can read, whole or not at all.

    Args:
        path: The file.
        keys: In their order.
        replace: Whether a file that is there is replaced; if not, it stays as it is.

    Raises:
        OSError: If that can't be done.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(name, path)
        elif not path.exists():
            _link(name, path)
        _sync_folder(path.parent)
    finally:
        Path(name).unlink(missing_ok=True)


def _link(name: str, path: Path) -> None:
    try:
        os.link(name, path)
    except FileExistsError:
        pass  # another process was first
    except OSError:  # some file systems have no links
        os.rename(name, path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
