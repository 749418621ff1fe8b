"""A lip reader that looks at motion without making lips of it, for losses (see `quick_mesh`)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.lip_reader import POINT_SCALE, LipReader
from facestream_models.metrics.quick_mesh import slope_of


class QuickReader(nn.Module):
    """`motion` [B, F, 53] -> what `reader` sees on the lips that `mesh` makes of it, [B, F, width], very nearly."""

    enter: Tensor

    def __init__(self, reader: LipReader, mesh: FaceMesh) -> None:
        super().__init__()
        self.reader = reader
        lips = slope_of(mesh)
        self.register_buffer("enter", POINT_SCALE * (reader.enter.weight.detach() @ lips), persistent=False)

    def forward(self, motion: Tensor) -> Tensor:
        moved = motion - motion.mean(dim=1, keepdim=True)
        entered = moved @ self.enter.T + self.reader.enter.bias
        seen: Tensor = self.reader.seen(entered)
        return seen


def quick_reading_loss(reader: QuickReader, made: Tensor, true: Tensor) -> Tensor:
    """`lip_reader.reading_loss` of two motions [B, F, 53]."""
    with torch.no_grad():
        wanted = reader(true)
    return 1.0 - F.cosine_similarity(reader(made), wanted, dim=2).mean()
