"""TLS from two PEM files."""

from pathlib import Path

import grpc

from facestream.errors import InvalidValue


def server_credentials(certificate: Path, key: Path) -> grpc.ServerCredentials:
    """Credentials from a PEM chain and its private key; raise `InvalidValue` for files that can not be read."""
    pair = (_pem("tls_key", key), _pem("tls_certificate", certificate))
    credentials: grpc.ServerCredentials = grpc.ssl_server_credentials([pair])
    return credentials


def _pem(field: str, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidValue(field, str(path), f"a readable PEM file ({error.strerror})") from None
    if b"-----BEGIN" not in content:
        raise InvalidValue(field, str(path), "a PEM file; this one has no '-----BEGIN' line")
    return content
