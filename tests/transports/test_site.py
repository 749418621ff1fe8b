"""The page beside the WebSockets: its files and nothing else of the disk."""

import asyncio
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.transports.server import Server
from facestream.transports.site import Site
from tests.transports.loopback import settings, synthetic_pipeline
from tests.transports.test_websocket_errors import raw

PAGE = b"<!doctype html><title>face</title>"
BIG = bytes(range(256)) * 20_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_bytes(b"secret")
    page = tmp_path / "viewer"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_bytes(PAGE)
    (page / "assets" / "app.js").write_bytes(b"export {};")
    (page / "assets" / "head.glb").write_bytes(BIG)
    (page / "LICENSE").write_bytes(b"words")
    return page


def test_files_have_their_type(folder: Path) -> None:
    site = Site.of(folder, {})
    for address, kind, body in (
        ("/", "text/html; charset=utf-8", PAGE),
        ("/index.html?model=live", "text/html; charset=utf-8", PAGE),
        ("/assets/app.js", "text/javascript; charset=utf-8", b"export {};"),
        ("/assets/head.glb", "model/gltf-binary", BIG),
        ("/LICENSE", "application/octet-stream", b"words"),
        ("/assets/%61pp.js", "text/javascript; charset=utf-8", b"export {};"),
    ):
        answer = site.answer("GET", address)
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (HTTPStatus.OK, kind, body), address
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "address",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "//etc/passwd",
        "/assets",
        "/assets/",
        "",
        "\\",
    ],
)
def test_nothing_else_is_served(folder: Path, address: str) -> None:
    assert Site.of(folder, {}).answer("GET", address).status is HTTPStatus.NOT_FOUND


@settings_of(max_examples=40)
@given(address=st.text(), method=st.sampled_from(["GET", "POST"]))
def test_any_address_has_an_answer(address: str, method: str) -> None:
    answer = Site({"index.html": PAGE, "a.js": b"a"}).answer(method, address)
    assert answer.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    assert (answer.status is HTTPStatus.METHOD_NOT_ALLOWED) is (method == "POST")
    assert (answer.status is HTTPStatus.OK) is (answer.body in (PAGE, b"a"))


def test_a_folder_without_a_page_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"viewer: got no .*index\.html"):
        Site.of(tmp_path, {})


@pytest.mark.asyncio
async def test_the_server_serves_it_beside_websockets(folder: Path) -> None:
    server = Server(settings(viewer=True, websocket_port=0), load=lambda: [synthetic_pipeline()], viewer=folder)
    async with server:
        assert server.addresses.web_url == f"http://{server.web_address}/"

        def get(path: str, method: str = "GET") -> tuple[int, bytes]:
            request = urllib.request.Request(f"{server.addresses.web_url}{path}", method=method)
            try:
                with urllib.request.urlopen(request) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read()

        for path, method, expected in (
            ("", "GET", (200, PAGE)),
            ("assets/head.glb", "GET", (200, BIG)),
            ("assets/none.glb", "GET", (404, b"no such file\n")),
            ("", "POST", (405, b"POST: only GET\n")),
            ("", "DELETE", (405, b"DELETE: only GET\n")),
        ):
            assert await asyncio.to_thread(get, path, method) == expected
        head = await raw(server.web_address, said=b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 405 ")
        assert b"\r\nAllow: GET\r\n" in head
        climbing = await raw(server.web_address, said=b"GET /../secret.txt HTTP/1.1\r\nHost: here\r\n\r\n")
        assert climbing.startswith(b"HTTP/1.1 404 ")


def test_the_viewer_has_a_port_unless_it_is_given_one() -> None:
    assert settings().web_port is None
    assert settings(viewer=True).web_port == 8080
    assert settings(viewer=True, websocket_port=1234).web_port == 1234
    assert settings(websocket_port=1234).web_port == 1234
