"""The whole schema: importing this module makes `Table.metadata` know every table, wherever its class stands."""

from __future__ import annotations

from service import outgoing_tables, source_tables
from service.audit import tables as audit_tables
from service.auth import tables as auth_tables
from service.erasures import tables as erasure_tables
from service.insights import tables as insight_tables
from service.jobs import tables as job_tables
from service.notes import tables as note_tables
from service.operation import tables as operation_tables
from service.reports import tables as report_tables
from service.retention import tables as retention_tables
from service.saved_filters import tables as saved_filter_tables
from service.tables import Table

METADATA = Table.metadata
_OURS = (audit_tables, auth_tables, erasure_tables, insight_tables, job_tables)
_KEPT = (note_tables, operation_tables, report_tables, retention_tables, saved_filter_tables)
MODULES = (*_OURS, *_KEPT, outgoing_tables, source_tables)
