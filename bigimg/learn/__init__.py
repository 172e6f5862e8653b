"""Estimators over features, with scikit-learn's contract; the same answer however the rows are cut.

``kmeans``       MiniBatchKMeans: clusters
``mahalanobis``  Mahalanobis: odd ones out
``scaler``       StandardScaler: columns of different units made comparable
``features``     features of an image, from its tiles
``tables``       clusters and odd ones of a pandas table

Below them: ``rows`` (NumPy, pandas, Dask and xarray as blocks of rows), ``exact`` (sums that are the same in every
order), ``hashing`` (random choices by position), ``sampling``, ``lloyd``, ``seeding``, ``nearest`` and
``covariance``.
"""

from bigimg.learn.catalog import image_features
from bigimg.learn.kmeans import MiniBatchKMeans
from bigimg.learn.mahalanobis import Mahalanobis
from bigimg.learn.scaler import StandardScaler
from bigimg.learn.tables import anomaly_table, cluster_table

__all__ = ["Mahalanobis", "MiniBatchKMeans", "StandardScaler", "anomaly_table", "cluster_table", "image_features"]
