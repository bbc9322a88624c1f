"""The HDF5 feature store: schema, reader, writer, parts and import."""

from fishembed.cache.importing import import_vectors
from fishembed.cache.lock import store_lock
from fishembed.cache.parts import Parts
from fishembed.cache.schema import Rows, StoreHead, TextVectors
from fishembed.cache.store import FeatureStore, newest_store
from fishembed.cache.writer import write_store

__all__ = [
    "FeatureStore",
    "Parts",
    "Rows",
    "StoreHead",
    "TextVectors",
    "import_vectors",
    "newest_store",
    "store_lock",
    "write_store",
]
