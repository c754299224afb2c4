"""Files of geographic information systems, converted by GDAL in a process of its own into parts that partitions read.

`reader` reads the parts. `conversion` runs in a function with the geo layer, and starts `process`, which alone
imports GDAL: a library that crashes ends the conversion of one file, which is reported.
"""
