"""What is wrong with the data: duplicates, leaks, wrong labels, outliers; splits and fixes."""

from fishembed.audit.auditing import Audit, audit_store
from fishembed.audit.fixing import fix_store, read_fixes
from fishembed.audit.sentences import findings
from fishembed.audit.splitting import Split, split_store
from fishembed.audit.tables import summary
from fishembed.audit.writing import write_audit

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
