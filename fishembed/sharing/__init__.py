"""Sharing of runs: ONNX bundles for other programs, folders, models on the hub.

The names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names

if TYPE_CHECKING:
    from fishembed.sharing.bundle_export import Agreement, Bundle, bundle_run
    from fishembed.sharing.bundle_files import OpenedBundle, open_bundle
    from fishembed.sharing.hub_push import Pushed, push_run

_MODULES = {
    "Agreement": "bundle_export",
    "Bundle": "bundle_export",
    "OpenedBundle": "bundle_files",
    "Pushed": "hub_push",
    "bundle_run": "bundle_export",
    "open_bundle": "bundle_files",
    "push_run": "hub_push",
}

__all__ = ["Agreement", "Bundle", "OpenedBundle", "Pushed", "bundle_run", "open_bundle", "push_run"]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
