"""The open head as GLB, wearing a take.

The head's own file is built beside the head (`facestream_models.flame.head_glb`). Nodes: `root` > `neck` (head
rotation) > `eye_left`, `eye_right`, teeth, tongue; `face` is skinned to root and neck, so that the bust stays while
the head turns. `face` carries all 52 ARKit morph targets by name; the other meshes carry those that move them, under
the same names. The eyes turn by rotation in a take; their gaze targets serve rigs that only know weights.
"""

from importlib.resources import files
from pathlib import Path

from facestream.curves import INDEX
from facestream.files.glb import GlbFile
from facestream.files.gltf_tracks import AnimationTracks
from facestream.files.rotation import rotations_of
from facestream.timebase import FrameRate
from facestream.types import Frames


def shipped_head_glb() -> Path:
    """The open head at rest with its 52 morph targets, as installed with the package."""
    return Path(str(files("facestream_bundles"))) / "head" / "open_head.glb"


def write_animated_glb(path: Path, frames: Frames, frame_rate: FrameRate) -> None:
    """The open head wearing a take: a weights track for each mesh, rotation tracks for head and eyes.

    Times count from the take's first frame. Raises `InvalidValue` for a take without frames.
    """
    glb = GlbFile(shipped_head_glb()).reopened()
    tracks = AnimationTracks(glb, frames, frame_rate)
    head, left, right = rotations_of(frames)
    turns = {"neck": head, "eye_left": left, "eye_right": right}
    for index, node in enumerate(glb.document["nodes"]):
        if node["name"] in turns:
            tracks.rotation(index, turns[node["name"]])
        elif "mesh" in node:
            names = glb.document["meshes"][node["mesh"]].get("extras", {}).get("targetNames", [])
            if names:
                tracks.weights(index, frames.weights[:, [INDEX[name] for name in names]])
    tracks.write()
    glb.write(path)
