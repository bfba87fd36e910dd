-- What partners' rows were used for: each question and each file, allowed or refused, and why.
-- grain: digest
-- reads: stg_statement
-- range: our own questions; rows is what was shown, kept or written, a question that named more
--        agreements than a statement holds is several rows with the same question
with
statement as (select * from stg_statement)

select
    digest,
    json_extract_string(body, '$.outcome') as outcome,
    json_extract_string(body, '$.code') as code,
    json_extract_string(body, '$.purpose') as purpose,
    cast(json_extract(body, '$.agreements') as varchar[]) as agreements,
    cast(json_extract(body, '$.tables') as varchar[]) as tables_read,
    json_extract_string(body, '$.question') as question,
    cast(json_extract_string(body, '$.rows') as bigint) as rows_used,
    json_extract_string(body, '$.into') as kept_as,
    json_extract_string(body, '$.to') as written_for,
    recorded_at as used_at
from statement
where type = 'use'
order by used_at, digest
