"""Rows of a room."""

from operations import Row

ROWS: list[Row] = []
