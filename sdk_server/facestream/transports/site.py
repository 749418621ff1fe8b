"""The files of a page, served as they are: read once at the start, so nothing on the way is a path of the disk."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import unquote

from facestream.errors import InvalidValue

# not `mimetypes`: what that says depends on the machine, and a module script of another type is not run
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".flac": "audio/flac",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class Answer(NamedTuple):
    """What HTTP answers."""

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes


class Site:
    """Files by their path in the address."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """`files` by path without the leading slash; `index.html` answers for the folder it is in."""
        self._files = {"/" + path: content for path, content in files.items()}
        for path in list(self._files):
            if path.endswith("/index.html"):
                self._files[path.removesuffix("index.html")] = self._files[path]

    @classmethod
    def of(cls, folder: Path, beside: Mapping[str, Path]) -> Self:
        """Everything in `folder`, and files that lie elsewhere. Raises `InvalidValue` where there is no page in it."""
        if not (folder / "index.html").is_file():
            allowed = "an installation with the page; build it first, or install the released wheel"
            raise InvalidValue("viewer", f"no {folder / 'index.html'}", allowed)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        own = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        return cls({name: path.read_bytes() for name, path in beside.items()} | own)

    def answer(self, method: str, address: str) -> Answer:
        """Answer a request for `address` (path and query)."""
        if method != "GET":
            return plain_answer(HTTPStatus.METHOD_NOT_ALLOWED, f"{method}: only GET\n", Allow="GET")
        path = unquote(address.partition("?")[0])
        body = self._files.get(path)
        if body is None:
            return plain_answer(HTTPStatus.NOT_FOUND, "no such file\n")
        kind = _TYPES.get(".html" if path.endswith("/") else Path(path).suffix.lower(), "application/octet-stream")
        # pages of the next version must not meet scripts of this one
        return Answer(HTTPStatus.OK, {"Content-Type": kind, "Cache-Control": "no-cache", **_NO_SNIFFING}, body)


_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}


def plain_answer(status: HTTPStatus, text: str, **headers: str) -> Answer:
    """A line of text."""
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8", **_NO_SNIFFING, **headers}, text.encode())
