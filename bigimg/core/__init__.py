"""The words every other room shares: tile geometry, operations, reductions, parameters, footprints."""
