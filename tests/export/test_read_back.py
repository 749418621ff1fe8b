"""Weights read back from graphs are those that were exported."""

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from facestream.errors import BundleError
from facestream_models.export.diffposetalk_again import Networks, fill, write
from facestream_models.export.graphs import Graph, write_graph
from facestream_models.export.onnx import round_to_half
from facestream_models.export.read_back import read_back, stored_numbers
from tests.diffposetalk.tiny_bundle import tiny_folder, tiny_student, tiny_system

WIDTH = 40
GIVEN = {"x": torch.ones(2, WIDTH)}


class Mixing(Graph):
    """Takes a matrix apart and turns it round, as attention does; has numbers of its own, and a weight in vain."""

    def __init__(self, seed):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.mix = round_to_half(nn.Linear(WIDTH, 2 * WIDTH))
            self.norm = nn.LayerNorm(WIDTH)
            self.unread = nn.Parameter(torch.randn(3))
            nn.init.normal_(self.norm.weight)
        self.register_buffer("table", torch.linspace(-1.0, 1.0, WIDTH), persistent=False)
        self.inputs, self.outputs = {"x": ["B", WIDTH]}, {"y": ["B", WIDTH]}

    def forward(self, x):
        first = nn.functional.linear(x, self.mix.weight[:WIDTH], self.mix.bias[:WIDTH])
        return self.norm(first + x @ self.mix.weight[WIDTH:]) * self.table + self.mix.bias[WIDTH:]

    def written(self, folder):
        write_graph(self, GIVEN, folder / "mixing.onnx")
        return ["mixing.onnx"]


def test_what_was_split_turned_and_halved_is_found_again(tmp_path):
    kept, scratch = tmp_path / "kept", tmp_path / "scratch"
    kept.mkdir()
    scratch.mkdir()
    trained, blank = Mixing(1), Mixing(2)
    unread = blank.unread.detach().clone()
    trained.written(kept)
    assert read_back([blank], blank.written, kept, scratch) == 3
    for name, weight in trained.named_parameters():
        expected = unread if name == "unread" else weight
        assert torch.equal(blank.get_parameter(name), expected), name
    other = Mixing(3)
    other.norm = nn.LayerNorm(WIDTH, elementwise_affine=False)
    with pytest.raises(BundleError, match=r"other names or sizes than mixing\.onnx has when written now"):
        read_back([other], other.written, kept, scratch)


def tiny_networks(seed):
    """No two weights alike, as after training: equal ones would be stored once."""
    system = tiny_system(seed=seed)
    networks = Networks(system.model, tiny_student(system), system.style_encoder)
    for own, theirs in zip(networks.student.denoiser.layers, system.model.denoiser.layers, strict=True):
        own.cross_attention = theirs.cross_attention
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in (weight for network in networks for weight in network.parameters() if weight.ndim == 1):
            weight += 0.01 * torch.randn(weight.shape, generator=random)
    return networks


@pytest.mark.slow
def test_a_bundle_is_written_again_from_what_it_holds(tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_folder(has_student=True), folder)
    trained, blank = tiny_networks(0), tiny_networks(5)
    files = ["speech.onnx", "memory.onnx", "denoise.onnx", "style.onnx", "stride.onnx"]
    write(trained, folder, files, "2.0")
    before = {name: stored_numbers(folder / name) for name in files}
    fill(blank, folder)
    for weight, expected in zip(blank.style_encoder.parameters(), trained.style_encoder.parameters(), strict=True):
        assert torch.equal(weight, expected)
    for name in files:
        (folder / name).write_bytes(b"")
    assert write(blank, folder, files, "2.1").manifest.version == "2.1"
    for name, expected in before.items():
        found = stored_numbers(folder / name)
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[key], expected[key]) for key in expected), name
