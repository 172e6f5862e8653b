"""Files and stores: readers, collections, ingest, the one writer, pyramids, tables. The only room that sees Zarr.

==================== ====================================================================================
to open              :func:`open_inputs` (anything a user names), :func:`open_collection`, :func:`open_sources`
to make a collection :func:`ingest` from files, :func:`create_results` of references to images elsewhere
to write pixels      :func:`create_image`, :func:`create_labels` -> :class:`ArrayWriter`; :func:`build_pyramid`
to write tables      :func:`write_table`, :func:`read_table`
to write polygons    :func:`write_geojson`, :func:`write_geoparquet`
to publish           :func:`building`, or :func:`begin` and :func:`publish`
==================== ====================================================================================
"""

from bigimg.io.collection import Collection, open_collection
from bigimg.io.ingest import Ingested, ingest
from bigimg.io.inputs import Inputs, open_inputs
from bigimg.io.levels import build_pyramid
from bigimg.io.publish import begin, building, publish, sweep
from bigimg.io.references import create_results, image_path
from bigimg.io.scan import OnError, Skipped, is_zarr, open_sources, scan
from bigimg.io.sources import FileSource, Source
from bigimg.io.stored import StoredSource
from bigimg.io.tables import read_table, table_metadata, write_table
from bigimg.io.vectors import write_geojson, write_geoparquet
from bigimg.io.writer import CHUNK, ArrayWriter, create_array, create_image, create_labels, image_chunks

__all__ = [
    "CHUNK",
    "ArrayWriter",
    "Collection",
    "FileSource",
    "Ingested",
    "Inputs",
    "OnError",
    "Skipped",
    "Source",
    "StoredSource",
    "begin",
    "build_pyramid",
    "building",
    "create_array",
    "create_image",
    "create_labels",
    "create_results",
    "image_chunks",
    "image_path",
    "ingest",
    "is_zarr",
    "open_collection",
    "open_inputs",
    "open_sources",
    "publish",
    "read_table",
    "scan",
    "sweep",
    "table_metadata",
    "write_geojson",
    "write_geoparquet",
    "write_table",
]
