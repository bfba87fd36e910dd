-- Objects from a mailbox that were no statement we could record: by whose place, and why.
-- grain: digest, code
-- reads: ledger.public.refused_object
-- range: all; the bytes themselves stay in the ledger
with
refused_object as (select * from ledger.public.refused_object)

select
    digest,
    sender,
    name,
    code,
    reason,
    octet_length(content) as bytes,
    recorded_at,
    statement_digest
from refused_object
order by recorded_at, digest, code
