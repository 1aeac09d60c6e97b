"""The planner's statistics: taken anew after an import, and without samples of what people write.

So an erased person's words stay in no sample; where the planner needs one, it is taken anew.
"""

REFRESHING = """
-- Only a table's owner may; the runtime role owns none.
CREATE FUNCTION refresh_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $refresh$
BEGIN
    ANALYZE individuals, organizations, offices, directory, relationships, stakeholder_issues, contact_points, match_digests;
END $refresh$;
REVOKE ALL ON FUNCTION refresh_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_statistics() TO liaison_contacts;
"""

#: Columns that people write into and that nobody is found by: the server keeps no samples of them.
UNSAMPLED = {
    "contact_point_grants": "reason",
    "directory": "name first_name last_name title organization_name interests",
    "former_employers": "name",
    "former_names": "name",
    "import_effects": "detail",
    "import_rows": "sheet refused",
    "imports": "filename refused_columns",
    "individuals": "salutation first_name last_name title interests",
    "many_freezes": "reason",
    "notes": "text provenance keep_reason",
    "offices": "label street city postal_code country phone",
    "organizations": "name source_url",
    "previous_facts": "title",
    "reveal_reasons": "reason",
}

FORGETTING = """
-- The server's samples of values outlive the rows that they were taken from, until the table is sampled again: most common
-- values, bounds of histograms, words of the search. Where one holds a word of an erased person's, that is done now.
CREATE FUNCTION forget_in_statistics(needles text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '5s' AS $forget$
DECLARE
    told text;
BEGIN
    FOR told IN SELECT DISTINCT t.relname FROM pg_stats s
        JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = 'public'::regnamespace
        LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
        WHERE s.schemaname = 'public' AND t.relname IN ('directory', 'individuals', 'organizations') AND EXISTS (
            SELECT FROM unnest(needles) AS needle WHERE needle <> '' AND squeezed(concat(
                s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text)) LIKE '%' || needle || '%')
        ORDER BY 1
    LOOP
        EXECUTE format('ANALYZE %I', told);
    END LOOP;
    -- Keyed digests of values; they are not to be recognized here.
    ANALYZE contact_points (lookup);
    ANALYZE match_digests (digest);
    -- Of a table without rows the server keeps the samples that it has; giving a column the type that it has drops them.
    IF NOT EXISTS (SELECT FROM individuals) THEN
        ALTER TABLE individuals ALTER COLUMN canonical_name TYPE text, ALTER COLUMN family_key TYPE text;
    END IF;
    IF NOT EXISTS (SELECT FROM organizations) THEN
        ALTER TABLE organizations ALTER COLUMN canonical_name TYPE text;
    END IF;
    IF NOT EXISTS (SELECT FROM directory) THEN
        ALTER TABLE directory ALTER COLUMN sort_name TYPE text COLLATE "C", ALTER COLUMN words TYPE tsvector, ALTER COLUMN letters TYPE text;
    END IF;
    IF NOT EXISTS (SELECT FROM match_digests) THEN
        ALTER TABLE contact_points ALTER COLUMN lookup TYPE bytea;
        ALTER TABLE match_digests ALTER COLUMN digest TYPE bytea;
    END IF;
END $forget$;
REVOKE ALL ON FUNCTION forget_in_statistics(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_in_statistics(text[]) TO liaison_contacts_eraser;
"""
