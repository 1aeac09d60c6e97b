"""The database's rough sieve: letters and digits in a row, as `fold` would compare them."""

from typing import Final

#: A function for a service's first migration. A text whose squeezed form holds no needle needs no closer look.
SQUEEZED: Final = r"""
-- Letters and digits alone, without case and marks: where the seeker looks first, so that it reads few rows itself.
CREATE FUNCTION squeezed(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(
        translate(
            replace(replace(replace(replace(replace(
                lower(normalize(written, NFKD)), '&', 'and'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
            'øłđðıħŧŋςʼʻʹ', 'olddihtnσ'),
        '(\W|_)+', '', 'g')
$$;
"""
