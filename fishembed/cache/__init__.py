"""The feature store: one interface, three implementations; import, export, edit, merge."""

from fishembed.cache.edit_history import AppliedHistory, Change, Dropped, Edit, apply_history
from fishembed.cache.editing import CellEdit, UndoneEdit, edit_store, undo_edit
from fishembed.cache.exchange.exporting import export_manifest, export_store
from fishembed.cache.exchange.importing import import_features, import_vectors
from fishembed.cache.joined_store import JoinedStore, join_stores
from fishembed.cache.lazy_rows import ComputedRows
from fishembed.cache.merging import merge_stores, shard_store
from fishembed.cache.opening import (
    FeatureStore,
    find_store,
    is_store,
    newest_store,
    open_store,
    store_names,
    store_place,
)
from fishembed.cache.partial_files import PartialFiles, open_partial_files
from fishembed.cache.rows import (
    Rows,
    column_of,
    is_known,
    missing_column,
    stacked_metadata,
    take_metadata,
    unknown_array,
)
from fishembed.cache.schema import HASH, IMAGE, TRUNK, StoreHeader, TextFeatures, box_cut_text
from fishembed.cache.store import FeatureKind, Store
from fishembed.cache.validation import Damage
from fishembed.cache.writer import store_lock, write_store

__all__ = [
    "HASH",
    "IMAGE",
    "TRUNK",
    "AppliedHistory",
    "CellEdit",
    "Change",
    "ComputedRows",
    "Damage",
    "Dropped",
    "Edit",
    "FeatureKind",
    "FeatureStore",
    "JoinedStore",
    "PartialFiles",
    "Rows",
    "Store",
    "StoreHeader",
    "TextFeatures",
    "UndoneEdit",
    "apply_history",
    "box_cut_text",
    "column_of",
    "edit_store",
    "export_manifest",
    "export_store",
    "find_store",
    "import_features",
    "import_vectors",
    "is_known",
    "is_store",
    "join_stores",
    "merge_stores",
    "missing_column",
    "newest_store",
    "open_partial_files",
    "open_store",
    "shard_store",
    "stacked_metadata",
    "store_lock",
    "store_names",
    "store_place",
    "take_metadata",
    "undo_edit",
    "unknown_array",
    "write_store",
]
