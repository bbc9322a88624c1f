"""The HDF5 feature store: schema, reader, writer, parts, import and export."""

from fishembed.cache.checksums import Damage
from fishembed.cache.editing import Undone, Wanted, edit_store, undo_edit
from fishembed.cache.exporting import export_store
from fishembed.cache.history import Change, Dropped, Edit
from fishembed.cache.importing import import_vectors
from fishembed.cache.joining import JoinedStores, Store, join_stores, open_joined
from fishembed.cache.labelled import LabelledVectors, Which
from fishembed.cache.lock import store_lock
from fishembed.cache.mirrored_parts import parts_of
from fishembed.cache.newest import newest_store
from fishembed.cache.partitioning import merge_stores, shard_store
from fishembed.cache.parts import Parts
from fishembed.cache.replay import Replayed, replay
from fishembed.cache.schema import IMAGE, TRUNK, Rows, StoreHead, TextVectors
from fishembed.cache.store import FeatureStore
from fishembed.cache.writer import Gathered, write_store

__all__ = [
    "IMAGE",
    "TRUNK",
    "Change",
    "Damage",
    "Dropped",
    "Edit",
    "FeatureStore",
    "Gathered",
    "JoinedStores",
    "LabelledVectors",
    "Parts",
    "Replayed",
    "Rows",
    "Store",
    "StoreHead",
    "TextVectors",
    "Undone",
    "Wanted",
    "Which",
    "edit_store",
    "export_store",
    "import_vectors",
    "join_stores",
    "merge_stores",
    "newest_store",
    "open_joined",
    "parts_of",
    "replay",
    "shard_store",
    "store_lock",
    "undo_edit",
    "write_store",
]
