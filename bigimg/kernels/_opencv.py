"""OpenCV, told to stay on the calling thread.

Tiles are the parallelism: as many threads as there are cores already hold one each, and threads inside of threads only
take turns. Every kernel that uses OpenCV imports it from here.
"""

from __future__ import annotations

import cv2

cv2.setNumThreads(1)

__all__ = ["cv2"]
