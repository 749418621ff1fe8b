"""What goes wrong over a WebSocket has the reasons that it has over gRPC, and a few of its own."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from facestream.errors import InvalidValue
from facestream.transports.server import Server
from facestream.v1.animation_service_pb2 import AnimateClipResponse
from tests.transports.loopback import audio, config, loopback, settings, speech, synthetic_pipeline, until
from tests.transports.test_errors import BAD_CLIP, BAD_LIVE, WORD
from tests.transports.web_loopback import BINARY, JSON, WebCall, web_call, web_converse


def refusal_of(call: WebCall) -> tuple[str, str | None, str]:
    """Reason, field to blame, message."""
    assert call.status is not None
    violations = [one for one in call.status["details"] if one["@type"].endswith("BadRequest")]
    field = violations[0]["fieldViolations"][0]["field"] if violations else None
    assert call.close_code == 4000 + call.status["code"]
    info = call.detail("ErrorInfo")
    assert info["domain"] == "facestream"
    assert (call.close_reason or "").startswith(info["reason"])
    return info["reason"], field, call.status["message"]


@pytest.mark.asyncio
@pytest.mark.parametrize("variant", [BINARY, JSON])
async def test_each_mistake_has_the_status_that_it_has_over_grpc(
    variant: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with loopback(websocket_port=0) as server:
        address = server.server.web_address
        for case, (requests, code, reason, field, words) in BAD_LIVE.items():
            if reason is None or (variant == JSON and case in ("model name of 100 kB", "message of 320 kB")):
                continue  # what gRPC itself answers; what is of another size in JSON, see below
            async with web_call(address, variant=variant) as call:
                await web_converse(call, *requests)
            if case in ("empty first message", "empty message") and variant == BINARY:
                continue  # no bytes: that is the end of the input here
            received = refusal_of(call)
            assert received[:2] == (reason, field), (case, received)
            assert words in received[2], (case, received)
            assert call.status is not None
            assert call.status["code"] == code.value[0], case
        for case, (clip_requests, reason, field) in BAD_CLIP.items():
            async with web_call(address, "AnimateClip", response=AnimateClipResponse, variant=variant) as call:
                await web_converse(call, *clip_requests)
            assert refusal_of(call)[:2] == (reason, field), case
        await until(lambda: server.open_rows == 0)
    assert not [record for record in caplog.records if record.exc_info], "a client's mistake is not worth a traceback"


OTHER_FRAMES: dict[str, tuple[str, list[Any], str, str]] = {
    "text on a binary socket": (BINARY, ["hello"], "INVALID_VALUE", "got a text frame; allowed: binary frames"),
    "bytes on a JSON socket": (JSON, [b"\x01\x02"], "INVALID_VALUE", "got a binary frame; allowed: text frames"),
    "bytes that are no message": (BINARY, [b"\xff\xff\xff"], "INVALID_VALUE", "bytes that are no message"),
    "text that is no JSON": (JSON, ["{config"], "INVALID_VALUE", "JSON that is no message"),
    "JSON of another shape": (JSON, ['{"confg": {}}'], "INVALID_VALUE", 'no field named "confg"'),
    "JSON that is no object": (JSON, ["[1, 2]"], "INVALID_VALUE", "JSON that is no message"),
    "deep JSON": (JSON, ["[" * 5000], "INVALID_VALUE", "JSON that is no message"),
    "text in the middle": (BINARY, [config(), audio(WORD), "hello"], "INVALID_VALUE", "a text frame"),
    "320 kB": (BINARY, [config(), audio(speech(5.0))], "MESSAGE_TOO_BIG", "at most 262144 bytes"),
    "640 kB of JSON": (JSON, [config(), " " * 640_000], "MESSAGE_TOO_BIG", "at most 524288 bytes"),
}


@pytest.mark.asyncio
async def test_frames_that_are_no_message(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback(websocket_port=0) as server:
        for case, (variant, frames, reason, words) in OTHER_FRAMES.items():
            async with web_call(server.server.web_address, variant=variant) as call:
                await web_converse(call, *frames, finish=False)
            received = refusal_of(call)
            assert received[:2] == (reason, "message"), (case, received)
            assert words in received[2], (case, received)
        for frame, code in ((b"x" * 2_000_000, 1009), ([b"\xff"], 1007)):
            async with web_call(server.server.web_address, variant=JSON if code == 1007 else BINARY) as call:
                if isinstance(frame, list):
                    await call.connection.send(frame[0], text=True)
                    assert await call.read() is None
                else:
                    await web_converse(call, frame, finish=False)
                assert (call.close_code, call.status) == (code, None)
        await until(lambda: server.open_rows == 0)
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.asyncio
async def test_who_says_nothing_is_sent_away() -> None:
    async with loopback(websocket_port=0, start_timeout_s=2) as server:

        async def say_nothing(method: str) -> None:
            async with web_call(server.server.web_address, method) as call:
                assert await call.read_all() == []
            assert refusal_of(call)[0] == "TIME_LIMIT"

        await asyncio.gather(*map(say_nothing, ("Animate", "AnimateClip", "HearEmotion", "ListModels")))


@pytest.mark.asyncio
async def test_places_are_counted() -> None:
    async with loopback(websocket_port=0, max_streams=1, websocket_connections=2) as server:
        address = server.server.web_address
        async with web_call(address) as inside:
            await inside.write(config())
            assert (await inside.read()).HasField("started")
            async with web_call(address) as second:
                await web_converse(second, config())
            reason, _, message = refusal_of(second)
            assert (reason, second.detail("RetryInfo")["retryDelay"]) == ("BUSY", "1s")
            assert "places for live streams" in message
            async with web_call(address) as silent, web_call(address) as third:
                await until(lambda: silent.connection.state == 1)
                await web_converse(third, config())
                assert refusal_of(third)[::2] == ("BUSY", "all 2 WebSockets are taken; try again, or another server")
        await until(lambda: server.open_rows == 0)
        async with web_call(address) as call:
            assert await web_converse(call, config(), audio(WORD))


@pytest.mark.asyncio
async def test_doors_that_do_not_open() -> None:
    async with loopback(websocket_port=0) as server:
        address = server.server.web_address
        for options, status, words in (
            ({"method": "Sing"}, 404, b"there is: /facestream.v1.AnimationService/Animate, "),
            ({"variant": "chat"}, 400, b"offer the subprotocol facestream.v1.binary or facestream.v1.json"),
        ):
            with pytest.raises(InvalidStatus) as caught:
                async with web_call(address, **options):
                    pass
            assert caught.value.response.status_code == status
            assert words in (caught.value.response.body or b"")


async def raw(address: str | None, *, said: bytes) -> bytes:
    """What the port answers to bytes of any kind."""
    assert address is not None
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(said)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.asyncio
async def test_garbage_on_the_port_is_dropped_and_not_worth_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback(websocket_port=0, start_timeout_s=0.2) as server:
        address = server.server.web_address
        for said in (
            b"\x16\x03\x01\x02\x00",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"x" * 20_000,
            b"GET / HTTP/1.1\r\n",
        ):
            await raw(address, said=said)
        plain = await raw(address, said=b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert plain.startswith(b"HTTP/1.1 426 ")
        assert b"--viewer" in plain
        async with web_call(address) as call:
            assert await web_converse(call, config(), audio(WORD))
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.asyncio
async def test_a_failure_of_ours_is_told_by_the_name_it_has_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback(websocket_port=0) as server:

        def broken(request: Any) -> Any:
            raise RuntimeError("a bug")

        server.server.host.open = broken  # type: ignore[method-assign]
        async with web_call(server.server.web_address) as call:
            await web_converse(call, config())
        reason, _, message = refusal_of(call)
        assert reason == "INTERNAL"
        assert "a bug" not in json.dumps(call.status)
        assert [record for record in caplog.records if record.exc_info and record.__dict__["log_id"] in message]


@pytest.mark.asyncio
async def test_a_port_that_is_taken_stops_the_start() -> None:
    async with loopback(websocket_port=0) as server:
        port = int(str(server.server.web_address).rpartition(":")[2])
        with pytest.raises(InvalidValue, match=rf"websocket_port: got 127.0.0.1:{port}.*another server running"):
            await Server(settings(websocket_port=port), load=lambda: [synthetic_pipeline()]).start()
