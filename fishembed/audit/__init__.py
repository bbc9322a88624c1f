"""Find faults of the data, from duplicates to wrong labels; split and fix stores.

The module can be called: ``fishembed.audit("fish")`` is `audit_store("fish")`.
"""

import sys
from types import ModuleType
from typing import Any

from fishembed.audit.audit import Audit, audit_store, findings
from fishembed.audit.fix import fix_store, read_fixes
from fishembed.audit.split import Split, split_store
from fishembed.audit.write_audit import summary, write_audit

__all__ = [
    "Audit",
    "Split",
    "audit_store",
    "findings",
    "fix_store",
    "read_fixes",
    "split_store",
    "summary",
    "write_audit",
]


class _CallableModule(ModuleType):
    """Lets the verb be called by the name of its folder."""

    def __call__(self, *arguments: Any, **options: Any) -> Audit:
        return audit_store(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
