"""Files of geographic information systems: read by GDAL, in a process of its own, into parts that partitions read.

`reader` is what sources see. `conversion` runs in a function with the geo layer, and starts `process`, which alone
imports GDAL: a library that ends its process ends the reading of one file, and is told as that.
"""
