"""Certificates for the connections to polled sources: our own, and the authority that signed theirs."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from router.errors import ConfigError, Problem


def tls_context(
    *, certificate: str | None = None, key: str | None = None, authority: str | None = None
) -> ssl.SSLContext:
    """All three are PEM texts. Without an authority the system's own list decides. Raises ConfigError."""
    try:
        context = ssl.create_default_context(cadata=authority)
        if certificate is not None:
            _present(context, certificate, key or "")
    except (ssl.SSLError, ValueError):
        # From None: the original may quote the key.
        hint = "both in PEM, the key without a passphrase and belonging to the certificate"
        raise ConfigError([Problem("", "a certificate or its key cannot be used", hint)]) from None
    return context


def _present(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Python reads certificates from files only; this one exists for a moment, for us alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(f"{certificate.strip()}\n{key.strip()}\n")
        # A passphrase that is wrong is an error; without one OpenSSL would ask at the terminal.
        context.load_cert_chain(path, password="")
