"""The HDF5 feature store: schema, reader, writer, parts, import and export."""

from fishembed.cache.checksums import Damage
from fishembed.cache.exporting import export_store
from fishembed.cache.importing import import_vectors
from fishembed.cache.joining import JoinedStores, Store, join_stores, open_joined
from fishembed.cache.labelled import LabelledVectors, Which
from fishembed.cache.lock import store_lock
from fishembed.cache.parts import Parts
from fishembed.cache.schema import IMAGE, TRUNK, Rows, StoreHead, TextVectors
from fishembed.cache.store import FeatureStore, newest_store
from fishembed.cache.writer import Gathered, write_store

__all__ = [
    "IMAGE",
    "TRUNK",
    "Damage",
    "FeatureStore",
    "Gathered",
    "JoinedStores",
    "LabelledVectors",
    "Parts",
    "Rows",
    "Store",
    "StoreHead",
    "TextVectors",
    "Which",
    "export_store",
    "import_vectors",
    "join_stores",
    "newest_store",
    "open_joined",
    "store_lock",
    "write_store",
]
