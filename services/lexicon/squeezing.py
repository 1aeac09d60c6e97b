"""A SQL function that prefilters texts: it keeps only letters and digits, folded like `fold`."""

from typing import Final

#: SQL for a service's initial migration. A text needs a closer look only if its squeezed form contains a search key.
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
