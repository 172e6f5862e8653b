"""The two kinds of work as lazy Dask graphs. Knows no operation.

``source``  where the pixels of a tile come from: a store, an array in memory, the chunks of another graph
``layer``   a Dask layer whose tasks are made when they are asked for
``lazy``    chains of tilewise operations: one task a tile, however long the chain
``reduce``  one value from all tiles, by a tree of merges
``gather``  a value that goes back into every tile
``store``   handing finished tiles to whoever stores them
``tree``    merging many states into one
``kinds``   NumPy, masked NumPy, Dask and xarray in; the same kind out
``faces``   the decorators that give a plain function its faces
``plan``    what a graph will do, counted without computing anything
"""
