"""A Dovecot of its own on a free port of this machine: a mailbox that a real server keeps."""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.sources.imap_server import PASSWORD, USER

PROGRAM = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/mail
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A running server; `run` starts it again after `stop`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        assert PROGRAM is not None
        command = [PROGRAM, "-F", "-c", str(self.folder / "dovecot.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
                if line.recv(4) == b"* OK":
                    return
            time.sleep(0.05)
        log = self.folder / "log"
        raise RuntimeError(log.read_text() if log.exists() else "Dovecot does not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    @contextmanager
    def client(self) -> Iterator[imaplib.IMAP4]:
        """Give another program's view of the mailbox."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as client:
            client.login(USER, PASSWORD)
            yield client

    def add(self, *messages: bytes, folder: str = "INBOX") -> None:
        with self.client() as client:
            for raw in messages:
                answer, _ = client.append(folder, "", "", raw)  # type: ignore[arg-type]
                assert answer == "OK"


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Run a server whose mailbox is empty."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    root = os.getuid() == 0
    account = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
    folder = Path(tempfile.mkdtemp(prefix="dc"))  # its sockets' paths must be short
    try:
        for name in ("mail", "home"):
            (folder / name).mkdir()
            if root:
                os.chown(folder / name, account.pw_uid, account.pw_gid)
        folder.chmod(0o755)
        group = subprocess.run(["id", "-gn", account.pw_name], capture_output=True, text=True, check=True).stdout
        names = {"user": account.pw_name, "group": group.strip(), "uid": account.pw_uid, "gid": account.pw_gid}
        (folder / "dovecot.conf").write_text(_CONFIG.format(folder=folder, port=port, **names))
        (folder / "users").write_text(f"{USER}:{PASSWORD}::::::\n")
        server = Dovecot(folder, port)
        server.run()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
