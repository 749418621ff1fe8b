"""The style encoder of a diffposetalk bundle on ONNX Runtime."""

from collections.abc import Mapping

from facestream.engines.bundle import Bundle
from facestream.engines.diffposetalk_facts import (
    STYLE_INPUTS,
    STYLE_OUTPUTS,
    named_styles,
    style_space,
)
from facestream.engines.graph_specs import check_session, graph_with
from facestream.engines.manifest import DiffPoseTalkManifest
from facestream.engines.onnx import run_session
from facestream.engines.onnx_sessions import open_on_cpu
from facestream.errors import BundleError
from facestream.style import Style, StyleSpace
from facestream.types import Float32


class StyleGraph:
    """Made from a diffposetalk bundle, of which it opens this one graph. Raises `BundleError` for any other bundle."""

    def __init__(self, bundle: Bundle, thread_count: int = 1) -> None:
        manifest = _manifest_of(bundle)
        self.bundle, self.manifest = bundle, manifest
        self.space = style_space(bundle.folder, manifest)
        graph = graph_with(bundle.folder, manifest.graphs, STYLE_INPUTS, STYLE_OUTPUTS)
        frames = graph.inputs["motion"][1]
        if not isinstance(frames, int):
            raise BundleError(f"{bundle.folder / graph.file}: found no fixed count of frames; export the bundle again")
        self.frames = frames
        """How many frames it looks at."""
        self._session = open_on_cpu(bundle.folder / graph.file, thread_count)
        check_session(self._session, bundle.folder, graph)

    def style(self, motion: Float32) -> Float32:
        """Styles `[B, S]` of normalised motion `[B, frames, D]`. Raises `EngineError`."""
        (style,) = run_session(self._session, ["style"], {"motion": motion})
        return style


def styles_of(bundle: Bundle) -> tuple[StyleSpace, Mapping[str, Style]]:
    """The space of a bundle's styles and those that ship with it. Raises `BundleError` for one without styles."""
    manifest = _manifest_of(bundle)
    return style_space(bundle.folder, manifest), named_styles(bundle.folder, manifest)


def _manifest_of(bundle: Bundle) -> DiffPoseTalkManifest:
    if not isinstance(bundle.manifest, DiffPoseTalkManifest):
        raise BundleError(
            f"{bundle.folder}: found a bundle of family {bundle.manifest.family!r}; expected 'diffposetalk', which has "
            "styles; give another model"
        )
    return bundle.manifest
