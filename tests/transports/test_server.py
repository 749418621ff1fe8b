"""The port and what stands beside the service: health, reflection, channelz, tokens, TLS."""

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
import websockets
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from websockets.typing import Subprotocol

from facestream.client import AsyncClient
from facestream.errors import BundleError, Denied, InvalidValue, Unavailable
from facestream.nvidia_ace.services.a2x_export_config.v1.a2x_export_config_pb2 import ConfigsTypeRequest
from facestream.nvidia_ace.services.a2x_export_config.v1.a2x_export_config_pb2_grpc import A2XExportConfigServiceStub
from facestream.serving.host import HostState
from facestream.serving.pipeline import Pipeline
from facestream.transports.server import SERVICE, Server
from tests.transports.loopback import audio, config, converse, loopback, settings, speech, synthetic_pipeline, until

Health = health_pb2.HealthCheckResponse


async def health_of(channel: grpc.aio.Channel, service: str) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


@pytest.mark.asyncio
async def test_health_follows_the_host_by_service_name() -> None:
    async with loopback() as server:
        for service in ("", SERVICE):
            assert await health_of(server.channel, service) == Health.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health_of(server.channel, "facestream.v1.Nothing")
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        await server.server.drain()
        for service in ("", SERVICE):
            assert await health_of(server.channel, service) == Health.NOT_SERVING


@pytest.mark.asyncio
async def test_callers_are_put_off_while_the_models_warm_up() -> None:
    seen: list[HostState] = []

    class Slow(Pipeline):
        def warm_up(self) -> None:
            seen.append(server.host.state)

    def load() -> list[Pipeline]:
        return [Slow(synthetic_pipeline().animator)]

    server = Server(settings(), load=load)
    assert server.host.state is HostState.WARMING_UP
    async with server:
        assert seen == [HostState.WARMING_UP]
        server.host._become(HostState.WARMING_UP)
        async with AsyncClient(server.address) as client:
            with pytest.raises(Unavailable, match="warming up") as caught:
                async with client.animate():
                    pass
            assert caught.value.retry_after_s == 1.0


@pytest.mark.asyncio
async def test_nobody_is_told_of_models_before_they_are_there() -> None:
    may_load = threading.Event()

    def load() -> list[Pipeline]:
        may_load.wait(20)
        return [synthetic_pipeline()]

    server = Server(settings(websocket_port=0), load=load)
    starting = asyncio.create_task(server.start())
    await until(lambda: server.web_address)
    async with AsyncClient(server.address) as client:
        with pytest.raises(Unavailable, match="the server is warming up"):
            await client.models()
        async with websockets.connect(
            f"ws://{server.web_address}/{SERVICE}/ListModels", subprotocols=[Subprotocol("facestream.v1.json")]
        ) as page:
            await page.send("{}")
            assert "UNAVAILABLE" in str(await page.recv())
        async with grpc.aio.insecure_channel(server.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="the server is warming up") as caught:
                _ = [file async for file in A2XExportConfigServiceStub(channel).GetConfigs(ConfigsTypeRequest())]
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        may_load.set()
        await starting
        assert [model.name for model in await client.models()] == ["synthetic"]
    await server.stop()


@pytest.mark.asyncio
async def test_a_taken_port_is_one_clear_error(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidValue, match=f"port: got 127.0.0.1:{port} .*another server running"):
            await Server(settings(port=port), load=lambda: [synthetic_pipeline()]).start()
    assert capfd.readouterr().err == ""


@pytest.mark.asyncio
async def test_two_servers_do_not_share_a_port() -> None:
    async with loopback() as server:
        with pytest.raises(InvalidValue, match="another server"):
            await Server(settings(port=server.server.port), load=lambda: [synthetic_pipeline()]).start()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.asyncio
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no address of IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
async def test_an_address_of_ipv6_is_served_and_told_as_clients_need_it(host: str) -> None:
    async with loopback(host=host, websocket_port=0) as server:
        assert server.server.address == f"[::1]:{server.server.port}"
        assert weights_count(await converse(server.stub.Animate(), config(), audio(speech(0.2))))
        async with websockets.connect(
            f"ws://{server.server.web_address}/{SERVICE}/ListModels", subprotocols=[Subprotocol("facestream.v1.json")]
        ) as socket_of_ipv6:
            await socket_of_ipv6.send("{}")
            assert "synthetic" in str(await socket_of_ipv6.recv())


def weights_count(answers: list[Any]) -> int:
    return sum(len(answer.frames.weights) for answer in answers)


@pytest.mark.asyncio
async def test_an_unknown_host_is_one_clear_error() -> None:
    with pytest.raises(InvalidValue, match=r"host: got 'no\.such\.host\.invalid'"):
        await Server(settings(host="no.such.host.invalid"), load=lambda: [synthetic_pipeline()]).start()


@pytest.mark.asyncio
async def test_a_bad_bundle_ends_the_start_and_frees_the_port() -> None:
    def load() -> list[Pipeline]:
        raise BundleError("live.onnx: truncated")

    server = Server(settings(), load=load)
    with pytest.raises(BundleError, match="truncated"):
        await server.start()
    async with loopback(port=server.port):
        pass


async def reflected(channel: grpc.aio.Channel) -> set[str]:
    call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    answer = await call.read()
    call.cancel()
    return {service.name for service in answer.list_services_response.service}


@pytest.mark.asyncio
async def test_reflection_and_channelz_stand_behind_their_flags() -> None:
    async with loopback(reflection=True, channelz=True) as server:
        assert {SERVICE, "grpc.health.v1.Health", "grpc.channelz.v1.Channelz"} <= await reflected(server.channel)
        servers = await channelz_pb2_grpc.ChannelzStub(server.channel).GetServers(channelz_pb2.GetServersRequest())
        assert servers.server
    async with loopback() as server:
        for call in (
            reflected(server.channel),
            channelz_pb2_grpc.ChannelzStub(server.channel).GetServers(channelz_pb2.GetServersRequest()),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.asyncio
async def test_tokens_guard_every_call_but_health() -> None:
    async with loopback(tokens=("first", "second")) as server:
        address = server.server.address
        for token in ("second", "first"):
            async with AsyncClient(address, token=token) as client:
                assert await client.models()
                assert (await client.animate_clip(speech(0.1))).frames.count
        for token, words in ((None, "no credentials"), ("third", "not accepted"), ("", "not accepted")):
            async with AsyncClient(address, token=token) as client:
                with pytest.raises(Denied, match=words):
                    await client.models()
                with pytest.raises(Denied, match=words):
                    await client.animate_clip(speech(0.1))
                with pytest.raises(Denied, match=words):
                    async with client.animate():
                        pass
        assert await health_of(server.channel, "") == Health.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await converse(
                server.stub.Animate(metadata=[("authorization", "Basic first")]), config(), audio(speech(0.1))
            )
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.asyncio
async def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    identity = authority.issue_cert("localhost")
    identity.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in identity.cert_chain_pems:
        blob.write_to_path(tmp_path / "chain.pem", append=True)
    authority.cert_pem.write_to_path(tmp_path / "root.pem")
    files = {"tls_certificate": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}
    async with loopback(host="localhost", **files) as server:
        async with AsyncClient(server.server.address, root_certificate=tmp_path / "root.pem") as client:
            assert await client.models()
        async with AsyncClient(server.server.address) as client:
            with pytest.raises(Unavailable, match="no connection"):
                await client.models(timeout_s=2)
    (tmp_path / "key.pem").write_text("nonsense")
    with pytest.raises(InvalidValue, match=r"tls_key.*BEGIN"):
        await Server(settings(**files), load=lambda: [synthetic_pipeline()]).start()
