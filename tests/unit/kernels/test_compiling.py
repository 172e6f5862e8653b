"""Saying that kernels are compiled."""

import os
import subprocess
import sys

CALL = "import numpy as np, bigimg; [bigimg.filters.gaussian(np.ones((9, 9)), sigma=s) for s in (1, 2)]"


def test_a_cold_machine_says_that_it_compiles_and_a_warm_one_is_silent(tmp_path):
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", CALL], env=env, check=True, capture_output=True, text=True).stderr
        for _ in range(2)
    ]
    assert said == ["compiling kernels for this machine; that happens once, and takes some seconds\n", ""]


def test_kernels_of_others_are_no_business_of_ours():
    call = "import numba, bigimg.kernels.smooth; numba.njit(lambda x: x + 1)(1)"
    done = subprocess.run([sys.executable, "-c", call], check=True, capture_output=True, text=True)
    assert done.stderr == ""
