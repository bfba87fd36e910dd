-- Every statement of our ledger, sent, received or kept for ourselves, with what it says.
-- grain: digest
-- reads: ledger.public.statement
-- range: all; body is read from the signed bytes themselves, not from columns beside them
with
statement as (select * from ledger.public.statement),

opened as (
    select
        * exclude (envelope),
        cast(decode(from_base64(
            json_extract_string(decode(cast(envelope as blob)), '$.payload')
        )) as json) as signed
    from statement
)

select
    digest,
    author,
    recipient,
    seq,
    previous,
    type,
    direction,
    shipment_id,
    agreement_id,
    issued_at,
    recorded_at,
    json_extract(signed, '$.predicate.body') as body
from opened
order by recorded_at, author, recipient, seq
