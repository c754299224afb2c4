"""Types of shapes, as shapely has them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = Any
"""A shapely geometry; shapely carries no types."""
Shapes = NDArray[np.object_]
