"""The operations: a kernel, its halo, its parameters, its page of documentation.

Each module is a room of the public package: ``bigimg.filters``, ``bigimg.threshold``, ``bigimg.morphology``,
``bigimg.measure``, ``bigimg.color``, ``bigimg.exposure``.
"""
