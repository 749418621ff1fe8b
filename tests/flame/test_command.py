"""`facestream head fit` as its user meets it."""

from pathlib import Path

import numpy as np
import pytest

from facestream.cli.app import main
from facestream.curves import INDEX
from facestream.retarget.profile import load_profile
from facestream_models.flame.head import Head
from facestream_models.flame.synthetic_head import synthetic_head


@pytest.fixture
def flame_file(open_head: Head, tmp_path: Path) -> Path:
    """A file in FLAME's own form, of a topology that is not the open head's."""
    head = synthetic_head(open_head, 1200, np.random.default_rng(2)).head
    shape = np.zeros((head.vertex_count, 3, 300), np.float32)
    path = tmp_path / "flame.npz"
    np.savez(
        path,
        v_template=head.template,
        f=head.triangles.astype(np.uint32),
        shapedirs=np.concatenate([shape, head.expression_dirs], axis=2),
        J_regressor=head.joint_regressor,
        weights=head.skinning,
        kintree_table=np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
    )
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["facestream", "head", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.slow
def test_fit_writes_a_profile_that_the_runtime_reads(
    monkeypatch: pytest.MonkeyPatch, flame_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "profile.npz"
    assert run(monkeypatch, "fit", str(flame_file), "-o", str(output)) == 0
    profile = load_profile(output)
    assert profile.head_digest != load_profile().head_digest
    assert profile.arkit_to_motion[50, INDEX["jawOpen"]] > 0.2


@pytest.mark.parametrize(
    ("name", "output", "said"),
    [
        ("nothing.pkl", "profile.npz", "nothing.pkl"),
        ("text.pkl", "profile.npz", "not a FLAME file"),
        ("text.pkl", "x.csv", ".npz"),
    ],
    ids=["missing", "not-flame", "output"],
)
def test_a_file_that_is_no_head_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    output: str,
    said: str,
) -> None:
    (tmp_path / "text.pkl").write_text("no head at all")
    assert run(monkeypatch, "fit", str(tmp_path / name), "-o", str(tmp_path / output)) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]
