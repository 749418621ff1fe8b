"""The head that a bundle's motion moves."""

from facestream.engines.bundle import Bundle
from facestream.engines.manifest import LiveManifest
from facestream.errors import BundleError
from facestream.retarget.profile import RigProfile, load_profile


def profile_of(bundle: Bundle) -> RigProfile:
    """The bundle's own rig profile, or the open head's. Raises `BundleError` where it has no head or another one."""
    manifest = bundle.manifest
    if manifest.head_digest is None:
        raise BundleError(
            f"{bundle.folder}: found a bundle without a head; expected one, because ARKit weights come from it; "
            "convert again with --flame"
        )
    own = None if isinstance(manifest, LiveManifest) else manifest.profile
    return load_profile(None if own is None else bundle.folder / own, manifest.head_digest)
