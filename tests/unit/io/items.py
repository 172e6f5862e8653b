"""STAC items for tests, beside the files that they are of."""

import json
from pathlib import Path
from typing import Any

import rasterio


def write_item(path: Path, assets: dict[str, Path], properties: dict[str, Any] | None = None, **of_assets: Any) -> Path:
    """Write the item of files beside it, as a catalogue would describe them; ``of_assets`` is added to assets."""
    described = {}
    for key, file in assets.items():
        with rasterio.open(file) as scene:
            described[key] = {
                "href": f"./{file.relative_to(path.parent).as_posix()}",
                "type": "image/tiff; application=geotiff",
                "roles": ["data"],
                "proj:shape": [scene.height, scene.width],
                "proj:transform": list(scene.transform),
                **of_assets.get(key, {}),
            }
            code = scene.crs.to_epsg()
    document: dict[str, Any] = {
        "type": "Feature", "stac_version": "1.0.0", "id": path.stem, "geometry": None, "links": [],
        "properties": {"datetime": "2020-05-18T13:27:04Z", "proj:epsg": code, **(properties or {})},
        "assets": described,
    }  # fmt: skip
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def change(path: Path, change: Any) -> Path:
    """Write the item again after a function has changed it."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
