"""OpenAVMKit as a peer. It needs older numpy, scipy and shapely than the project runs on, so uv runs it in an
environment of its own, kept in uv's cache; what it may need is pinned in the script."""

import os
import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Characteristics, Sales

_SCRIPT = Path(__file__).parent / "peers" / "openavmkit_lightgbm.py"
_TIMEOUT_S = 3600
_MAX_CHARACTERS = 400


class PeerFailedError(Exception):
    """The reason why OpenAVMKit did not value, in a line."""


def openavmkit(train: Sales, subjects: Characteristics, on: int) -> FloatArray:
    """Values as of day `on` of n subjects by OpenAVMKit's LightGBM, trained on `train`: shape (n,)."""
    uv = shutil.which("uv")
    if uv is None:
        raise PeerFailedError("uv is not installed, which makes its environment")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sale = {"sale_date": [date.fromordinal(int(day)) for day in train.sale_day], "sale_price": train.sale_price}
        pl.DataFrame(dict(train.characteristics.columns()) | sale).write_parquet(folder / "train.parquet")
        pl.DataFrame(dict(subjects.columns())).write_parquet(folder / "test.parquet")
        command = [uv, "run", "--quiet", "--script", str(_SCRIPT), str(folder), date.fromordinal(on).isoformat()]
        # ours would come before its own packages
        neighborhood_features = {
            key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        try:
            subprocess.run(
                command,
                cwd=folder,
                env=neighborhood_features,
                capture_output=True,
                text=True,
                errors="replace",
                check=True,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise PeerFailedError(f"not done after {_TIMEOUT_S} s") from error
        except subprocess.CalledProcessError as error:
            # uv says what is wrong first and adds hints; Python says it last
            errors = " ".join(error.stderr.split())[-_MAX_CHARACTERS:]
            raise PeerFailedError(errors or f"it ended with {error.returncode}") from error
        values = pl.read_parquet(folder / "values.parquet")["value"].to_numpy()
    # It can go below zero, where there is no ratio: such a value is counted as one dollar.
    return np.maximum(np.asarray(values, dtype=np.float64), 1.0)
