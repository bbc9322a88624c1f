"""Find what is wrong with the data, from duplicates to wrong labels; split and fix stores."""

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
