"""Segmentation: images cut into labelled regions."""

__all__: list[str] = []
