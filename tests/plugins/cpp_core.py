"""The C interface of the compiled core, for tests that hold it against the Python of the server."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np

from facestream.types import Float32

CURVES, LIVE_LINK = 52, 61


class Face(ctypes.Structure):
    _fields_ = (
        ("weights", ctypes.c_float * CURVES),
        ("head", ctypes.c_float * 4),
        ("left_eye", ctypes.c_float * 4),
        ("right_eye", ctypes.c_float * 4),
    )


Send = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)


class Core:
    """The functions that the tests call, with their types."""

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        pointer, size, int32, int64 = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int32, ctypes.c_int64

        def declare(name: str, result: type | None, *arguments: type) -> Callable[..., int]:
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
            return function  # type: ignore[no-any-return]

        self.curve_name = declare("fs_curve_name", ctypes.c_char_p, int32)
        self.sample_of = declare("fs_sample_of", int64, int32, int32, int32, int64)
        self.visemes = declare("fs_visemes", None, pointer, pointer)
        self.live_link_values = declare("fs_live_link_values", None, pointer, pointer)
        self.live_link_encode = declare(
            "fs_live_link_encode", size, ctypes.c_char_p, ctypes.c_char_p, int64, pointer, pointer, size
        )
        self.vmc_encode = declare("fs_vmc_encode", None, pointer, ctypes.c_float, int32, int32, Send, pointer)
        self.buffer_create = declare("fs_jitter_buffer_create", pointer, int32, int32, int32, int32)
        self.buffer_destroy = declare("fs_jitter_buffer_destroy", None, pointer)
        self.buffer_add = declare("fs_jitter_buffer_add", int32, pointer, int64, pointer)
        self.buffer_at = declare("fs_jitter_buffer_at", int32, pointer, int64, pointer)
        self.resampler_create = declare("fs_resampler_create", pointer, int32, int32)
        self.resampler_destroy = declare("fs_resampler_destroy", None, pointer)
        self.resampler_most = declare("fs_resampler_most_outputs", size, pointer, size)
        self.resampler_push = declare("fs_resampler_push", size, pointer, pointer, size, pointer)
        self.resampler_flush = declare("fs_resampler_flush", size, pointer, pointer)

    def resampled(self, samples: Float32, in_rate_hz: int, out_rate_hz: int) -> Float32:
        """All of `samples` at another rate."""
        handle = self.resampler_create(in_rate_hz, out_rate_hz)
        room = self.resampler_most(handle, samples.size) + self.resampler_most(handle, in_rate_hz // 400)
        out = np.zeros(room, np.float32)
        made = self.resampler_push(handle, samples.ctypes.data, samples.size, out.ctypes.data)
        made += self.resampler_flush(handle, out.ctypes.data + 4 * made)
        self.resampler_destroy(handle)
        return out[:made]


def face_of(weights: Float32, rotations: Float32) -> Face:
    """A face of weights `[52]` and rotations `[3, 4]`."""
    return Face.from_buffer_copy(np.concatenate([weights, rotations.ravel()]).astype(np.float32).tobytes())


def row_of(face: Face) -> Float32:
    """Its 64 numbers."""
    return np.frombuffer(bytes(face), np.float32)
