"""The package for browsers and Node, built in a copy: a checkout is left as it was."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.plugins.build_once import build_once

PACKAGE = Path(__file__).resolve().parents[2] / "engine_plugins" / "web"
_MADE = ("node_modules", "dist", "build")


def run(*words: str, folder: Path, **variables: str) -> str:
    """What a command says; it must end well."""
    done = subprocess.run(
        words, cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built_package(cache: Path) -> Path:
    """The copy with `dist/` and, for the tests, `build/`."""
    sources = [
        path for path in PACKAGE.rglob("*") if path.is_file() and path.relative_to(PACKAGE).parts[0] not in _MADE
    ]
    return build_once(cache / "web", sources, _build)


def _build(folder: Path) -> None:
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns(*_MADE))
    run("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)
    run("npm", "run", "build", folder=folder)
    run("npx", "tsc", "-p", "tsconfig.test.json", folder=folder)
