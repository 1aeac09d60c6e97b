"""Fields that several schemas have."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from services.lexicon.folding import even_signs, normalized
from services.lexicon.places import state_code

#: What a list of stakeholders is ordered by; a leading minus turns it round.
SORTS = ("name", "-name", "last_contacted_at", "-last_contacted_at", "created_at", "-created_at")


FACETS = ("type", "state", "fema_region", "component", "sector", "issue", "priority")


COMPONENT = validate.Regexp(r"^[A-Z]{2,10}$", error="A component's code, such as ICE.")


#: With blanks to be taken out and marks to be put on their letters, a text may be so many times as long as what is kept of it.
_WRITTEN_WIDELY = 20


class Line(fields.String):
    """One line of text: trimmed, spaces made single, nothing invisible in it; empty counts as not given."""

    def __init__(self, *, most: int = 200, **options: Any) -> None:
        """Take at most `most` characters."""
        super().__init__(**options)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > self.most * _WRITTEN_WIDELY:
            raise ValidationError(f"At most {self.most} characters.")
        text = " ".join(normalized("NFC", text).split())
        if len(text) > self.most:
            raise ValidationError(f"At most {self.most} characters.")
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise ValidationError("No control characters.")
        if not text:
            if self.required:
                raise ValidationError("Missing data for required field.")
            if not self.allow_none:
                raise ValidationError("Not empty.")
            return None
        return text


class Name(Line):
    """A name of a person or an organization: every apostrophe in it is ' and every hyphen -, whatever keyboard it came from."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        # Read as it came first: evening takes away what is refused.
        return text if text is None else super()._deserialize(even_signs(text), attr, data, **kwargs)


class State(Line):
    """A state or territory, by its code or name; kept as its code (R80, T18)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        code = state_code(text)
        if code is None:
            raise ValidationError("Not a state or territory of the United States.")
        return code


class Codes(fields.Field[list[str]]):
    """Several codes: a list, or text with commas, as a query string has them."""

    def __init__(self, *, one_of: tuple[str, ...], **options: Any) -> None:
        """Allow these codes."""
        super().__init__(**options)
        self.one_of = one_of

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, list) or not all(code in self.one_of for code in given):
            raise ValidationError(f"Some of {', '.join(self.one_of)}.")
        return list(dict.fromkeys(given))
