"""TLS from two PEM files."""

import ssl
from pathlib import Path

import grpc

from facestream.errors import InvalidValue


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For sockets of Python's own. Raises `InvalidValue` for files that can not be read or do not fit together."""
    for field, path in (("tls_key", key), ("tls_certificate", certificate)):
        _check_pem(field, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        allowed = f"a PEM chain and the private key that belongs to it ({error.reason})"
        raise InvalidValue("tls_certificate", f"{certificate} with {key}", allowed) from None
    return context


def server_credentials(certificate: Path, key: Path) -> grpc.ServerCredentials:
    """Credentials of gRPC from a PEM chain and its private key; raise `InvalidValue` as `server_context` does."""
    server_context(certificate, key)  # gRPC's own words for files that do not fit are three lines of C++
    credentials: grpc.ServerCredentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    return credentials


def _check_pem(field: str, path: Path) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidValue(field, str(path), f"a readable PEM file ({error.strerror})") from None
    if b"-----BEGIN" not in content:
        raise InvalidValue(field, str(path), "a PEM file; this one has no '-----BEGIN' line")
