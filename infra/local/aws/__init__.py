"""AWS on this machine: moto's services in this process, with what they hold kept on disk."""

import importlib.util
import sys
from types import ModuleType


def _leave_out_ec2() -> None:
    """moto's state machines import one enum from `moto.batch`, whose package imports all of EC2.

    That is half of the start's time and 100 MB for instance types that nothing here asks for. The package is put
    in place empty; `moto.batch.utils` with the enum is imported from it as ever.
    """
    if "moto.batch" in sys.modules:
        return
    moto = importlib.util.find_spec("moto")
    if moto is None or not moto.submodule_search_locations:
        message = "moto is not installed: run `uv sync`"
        raise ImportError(message)
    batch = ModuleType("moto.batch")
    batch.__path__ = [f"{folder}/batch" for folder in moto.submodule_search_locations]
    sys.modules["moto.batch"] = batch


_leave_out_ec2()
