"""Exports: images, labels and tables of a collection in the formats of each trade.

One module a format: each writes the file, or the folder, of one image, or of the whole collection, where it is told to.
What is chosen and where it goes is decided in `bigimg.run.export`, which has the engine for polygons.
"""
