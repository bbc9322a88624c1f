"""Find images by text or similar images, group them, and choose which to label next."""

from fishembed.explore.cluster import Clustering, cluster_store
from fishembed.explore.row_filter import filtered_rows
from fishembed.explore.search import FeatureSearch, SearchResult, search_store
from fishembed.explore.suggest import Suggestions, suggest_store

__all__ = [
    "Clustering",
    "FeatureSearch",
    "SearchResult",
    "Suggestions",
    "cluster_store",
    "filtered_rows",
    "search_store",
    "suggest_store",
]
