"""Speakers over WebSockets, against a real server."""

import asyncio

import pytest

from facestream.client import StreamOptions
from facestream.errors import FacestreamError
from facestream_bench.web_load import FORMS, web_crowd
from tests.transports.loopback import loopback, speech


@pytest.mark.asyncio
@pytest.mark.parametrize("form", FORMS)
async def test_every_frame_of_every_speaker_comes(form: str) -> None:
    async with loopback(websocket_port=0) as server:
        crowd = web_crowd(server.server.web_address or "", form)
        speakers, client_s = await asyncio.to_thread(crowd, "", speech(0.4), StreamOptions(), 2)
        assert client_s > 0
        for speaker in speakers:
            came = [index for _, first, count in speaker.arrivals for index in range(first, first + count)]
            assert came == list(range(len(came)))
            assert len(came) >= speaker.expected_count() == 12
            assert len(speaker.added_s()) > 5


@pytest.mark.asyncio
async def test_a_stream_that_is_refused_is_told() -> None:
    async with loopback(websocket_port=0) as server:
        crowd = web_crowd(server.server.web_address or "", "binary")
        with pytest.raises(FacestreamError, match="no model named"):
            await asyncio.to_thread(crowd, "", speech(0.4), StreamOptions(model="nobody"), 1)
