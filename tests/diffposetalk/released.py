"""The released networks once more, from torch's own layers and under the released names: what ours must agree with.

Written from sections 4 to 6 of the specification and nothing else; nothing here is shared with the package.
"""

import math

import torch
from torch import nn


def table(rows, width):
    return torch.tensor(
        [
            [(math.sin, math.cos)[c % 2](row / 10000 ** ((c - c % 2) / width)) for c in range(width)]
            for row in range(rows)
        ],
        dtype=torch.float32,
    )


class Table(nn.Module):
    def __init__(self, rows, width):
        super().__init__()
        self.register_buffer("pe", table(rows, width)[None])


class DenoisingNet(nn.Module):
    def __init__(self, motion, window, past, width, layers, hidden):
        super().__init__()
        frames = past + window
        self.PE = nn.Parameter(torch.randn(1, 1 + frames, width))
        self.TE = Table(501, width)
        row, column = torch.arange(1 + frames)[:, None], torch.arange(frames)[None]
        self.register_buffer("alignment_mask", (row > 0) & (row - 1 != column))
        self.diff_step_map = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.person_proj = nn.Linear(228, width)
        self.feature_proj = nn.Linear(motion + 1, width)
        layer = nn.TransformerDecoderLayer(width, width // 64, hidden, 0.1, "gelu", batch_first=True)
        self.transformer = nn.TransformerDecoder(layer, layers)
        self.motion_dec = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, motion))

    def forward(self, noisy, audio, person, previous_motion, previous_audio, step, indicator):
        embedding = self.diff_step_map(self.TE.pe[0, step])[:, None]
        person = self.person_proj(person)[:, None] + embedding
        motion = torch.cat([previous_motion, noisy], 1)
        marks = torch.cat([torch.zeros(*previous_motion.shape[:2]), indicator], 1)[..., None]
        x = torch.cat([person, self.feature_proj(torch.cat([motion, marks], 2))], 1) + self.PE
        memory = torch.cat([previous_audio, audio], 1)
        x = self.transformer(x, memory, memory_mask=self.alignment_mask)
        return self.motion_dec(x[:, 1:])


class Schedule(nn.Module):
    def __init__(self):
        super().__init__()
        f = [math.cos((u / 500 + 0.008) / 1.008 * math.pi / 2) ** 2 for u in range(501)]
        betas = [0.0] + [min(max(1 - f[t] / f[t - 1], 1e-4), 0.999) for t in range(1, 501)]
        bars = [math.prod(1 - b for b in betas[: t + 1]) for t in range(501)]
        small = [0.0] + [math.sqrt(betas[t] * (1 - bars[t - 1]) / (1 - bars[t])) for t in range(1, 501)]
        for name, values in (
            ("betas", betas),
            ("alphas", [1 - b for b in betas]),
            ("alpha_bars", bars),
            ("sigmas_flex", [math.sqrt(b) for b in betas]),
            ("sigmas_inflex", small),
        ):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64).float())


class PlainDenoiser(nn.Module):
    """Without its audio encoder, which `published_speech` names."""

    def __init__(self, motion=54, window=100, past=10, width=512, layers=8, hidden=2048, speech_width=768):
        super().__init__()
        self.start_motion_feat = nn.Parameter(torch.randn(1, past, motion))
        self.start_audio_feat = nn.Parameter(torch.randn(1, past, width))
        self.null_style_feat = nn.Parameter(torch.randn(1, 1, 128))
        self.null_audio_feat = nn.Parameter(torch.randn(1, 1, width))
        self.audio_feature_map = nn.Linear(speech_width, width)
        self.denoising_net = DenoisingNet(motion, window, past, width, layers, hidden)
        self.diffusion_sched = Schedule()


def unlike(network):
    """Makes equal parameters differ: fresh norms and biases would hide that two of them were exchanged."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += (
                0.2 * torch.randn_like(parameter) / max(1.0, parameter.shape[-1] ** 0.5 * (parameter.dim() > 1))
            )
    return network.eval()


class StyleEncoder(nn.Module):
    def __init__(self, motion):
        super().__init__()
        self.motion_proj = nn.Linear(motion, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 512, 0.1, "gelu", batch_first=True)
        self.transformer = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)

    def forward(self, motion):
        x = self.motion_proj(motion) + table(101, 128)[motion.shape[1]]
        return self.transformer(x).mean(1)


def published_speech(shape, prefix="audio_encoder."):
    """Random weights of an audio encoder of `shape` under the released names."""
    c, w = shape.channels, shape.width
    sizes = {"masked_spec_embed": (w,)}
    for i, kernel in enumerate(shape.kernels):
        sizes[f"feature_extractor.conv_layers.{i}.conv.weight"] = (c, c if i else 1, kernel)
    sizes["encoder.pos_conv_embed.conv.bias"] = (w,)
    sizes["encoder.pos_conv_embed.conv.weight_g"] = (1, 1, shape.position_kernel)
    sizes["encoder.pos_conv_embed.conv.weight_v"] = (w, w // shape.position_groups, shape.position_kernel)
    linears = {"feature_projection.projection": (w, c)}
    norms = {
        "feature_extractor.conv_layers.0.layer_norm": c,
        "feature_projection.layer_norm": c,
        "encoder.layer_norm": w,
    }
    for j in range(shape.layers):
        layer = f"encoder.layers.{j}."
        norms |= {f"{layer}layer_norm": w, f"{layer}final_layer_norm": w}
        linears |= {f"{layer}attention.{part}_proj": (w, w) for part in "qkv"}
        linears |= {f"{layer}attention.out_proj": (w, w)}
        linears |= {f"{layer}feed_forward.intermediate_dense": (shape.hidden, w)}
        linears |= {f"{layer}feed_forward.output_dense": (w, shape.hidden)}
    for name, size in linears.items():
        sizes |= {f"{name}.weight": size, f"{name}.bias": size[:1]}
    for name, width in norms.items():
        sizes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    tensors = {prefix + name: torch.randn(size) / math.sqrt(math.prod(size[1:])) for name, size in sizes.items()}
    for name, size in sizes.items():
        if name.endswith(".bias"):
            tensors[prefix + name] = 0.1 * torch.randn(size)
        elif name.endswith(("norm.weight", "weight_g")):
            tensors[prefix + name] = 1.0 + 0.2 * torch.randn(size)
    return tensors
