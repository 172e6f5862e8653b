"""Geometry: resized, turned and projected images."""

__all__: list[str] = []
