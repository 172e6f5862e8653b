"""The operations: a kernel, its halo, its parameters, its page of documentation.

Each package is a room of the public package: ``bigimg.filters``, ``bigimg.threshold``, ``bigimg.morphology``,
``bigimg.segmentation``, ``bigimg.measure``, ``bigimg.color``, ``bigimg.exposure``, ``bigimg.transform``. An
operation is in the catalogue because it exists; its room gives it its name.
"""
