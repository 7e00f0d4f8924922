"""
A private Dovecot from the system's package: IMAP on the loopback, plain, with STARTTLS and inside TLS.

It wants to be root and to become other people; run by one ordinary account instead, every service
that would change its user or its root is told not to.
"""

from __future__ import annotations

import getpass
import grp
import ipaddress
import os
import pwd
import secrets
import shutil
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.servers.server import LOOPBACK, MissingPackage, PrivateServer, answers, free_port

PROGRAM: Final = Path("/usr/sbin/dovecot")
IMAP: Final = Path("/usr/lib/dovecot/imap")
USER: Final = "12345yq1"


class Dovecot(PrivateServer):
    """Dovecot with a mailbox, in Maildir form, for whoever asks for one; all have the same password."""

    def __init__(self, *, separator: str = ".") -> None:
        """`separator` stands between the levels of folders' names."""
        if not PROGRAM.exists() or not IMAP.exists():
            raise MissingPackage("Dovecot", "dovecot-imapd")
        super().__init__(name="dovecot", account="dovecot")
        self.host = LOOPBACK
        self.port = free_port()
        self.tls_port = free_port()
        self.user = USER
        self.password = secrets.token_urlsafe(12)
        self.separator = separator
        self.certificate = self._write_certificate()
        """PEM of its certificate, which is its own authority; for 127.0.0.1 and localhost."""
        self._write_configuration()

    def kill(self) -> None:
        """kill -9 of the whole family: its connections are cut at once, not when the children notice."""
        family = self.pid
        super().kill()
        with suppress(ProcessLookupError):
            os.killpg(family, signal.SIGKILL)

    def maildir(self, user: str = USER) -> Path:
        """Where this user's mail lies."""
        return self.folder / "mail" / user

    def _launch(self) -> int:
        configuration = str(self.folder / "dovecot.conf")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        return self.run_in_background([str(PROGRAM), "-F", "-c", configuration], environment)

    def _is_ready(self) -> bool:
        return answers(self.port) and answers(self.tls_port)

    def _write_configuration(self) -> None:
        account = pwd.getpwnam(self._account or getpass.getuser())
        group = grp.getgrgid(account.pw_gid).gr_name
        self._write(
            "dovecot.conf",
            CONFIGURATION.format(
                folder=self.folder,
                password=self.password,
                user=account.pw_name,
                group=group,
                uid=account.pw_uid,
                gid=account.pw_gid,
                port=self.port,
                tls_port=self.tls_port,
                separator=self.separator,
            ),
        )

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        if self._account:
            shutil.chown(path, self._account, self._account)

    def _write_certificate(self) -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        form = serialization.PrivateFormat.PKCS8
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, form, serialization.NoEncryption()).decode()
        public = certificate.public_bytes(pem).decode()
        self._write("server.key", private)
        self._write("server.pem", public)
        return public


CONFIGURATION: Final = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
listen = 127.0.0.1
protocols = imap
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
disable_plaintext_auth = no
auth_failure_delay = 0 secs
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  # Without it, whoever comes after a wrong password waits.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
