"""SQL of whom the caller sees frozen: for everybody (T21), or for the caller's component only, as a possible twin (T26)."""

from __future__ import annotations

#: Of `individuals i`: frozen neither for everybody nor for the caller's component, which the transaction has set.
OPEN = "i.frozen_at IS NULL AND (i.frozen_for = '{}' OR NOT (coalesce(app_component(), '') = ANY(i.frozen_for)))"
