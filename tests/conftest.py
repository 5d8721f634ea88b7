"""Fixtures that every test can use."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real models and data; tests that need it are skipped where it is absent."""
    from benchmarks.datasets import FOLDER

    if not FOLDER.is_dir():
        pytest.skip(f"no real models and data in {FOLDER} (set MCUGRAD_DATA)")
    return FOLDER
