# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Audits of one stream's cache, as steps of a job: what is not exact is made so first.

Another generation, or another audit, ends one.  Knows when an audit is due, and how a stream
settles; knows nothing of what is compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vlmaxxing_ros.engine.cache.audit import Audit, AuditReport
from vlmaxxing_ros.engine.steps import Steps

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.stream.stream import Stream


class Auditing:
    """One stream's.

    Args:
        stream: whose cache it is.

    Attributes:
        last: what the last audit found.
    """

    def __init__(self, stream: Stream) -> None:
        self.last: AuditReport | None = None
        self._stream = stream
        self._audit: Audit | None = None
        self._last_stamp = stream.sight.newest.stamp

    @property
    def nbytes(self) -> int:
        """Bytes of the one in progress."""
        return self._audit.nbytes if self._audit else 0

    @property
    def due(self) -> bool:
        """Whether the interval is over, and the cache can be compared as it is."""
        stream = self._stream
        elapsed = (stream.sight.newest.stamp - self._last_stamp) * 1e-9
        interval = stream.config.audit_interval
        late = bool(interval) and elapsed >= interval
        return late and self._audit is None and stream.cache.ledger.exact

    def end(self) -> None:
        """Go no further with the one in progress."""
        self._audit = None

    def steps(self) -> Steps[AuditReport | None]:
        """Audit: the report; None if something went before it."""
        stream, audit = self._stream, Audit(self._stream.family)
        self._audit, self._last_stamp = audit, stream.sight.newest.stamp
        try:
            if stream.standing.carried:
                yield from stream.settling()
            number = stream.cache.number
            while self._audit is audit and stream.cache.number == number:
                if not audit.nearly_done(stream.cache):
                    yield from audit.replay(stream.cache)
                elif not stream.cache.ledger.exact:
                    yield from stream.settling()
                else:
                    report = yield from audit.compare(stream.cache, stream.probe)
                    return self._judged(report) if self._audit is audit else None
            return None
        finally:
            if self._audit is audit:
                self._audit = None

    def _judged(self, report: AuditReport) -> AuditReport:
        """A report; where it found a mismatch, the cache is rebuilt."""
        if not report.ok:
            self._stream.replay()
            report = replace(report, text=report.text + '; the session was rebuilt from it')
        self.last = report
        return report
