-- What was shared with whom, under which agreement and for which purposes, and what was answered.
-- grain: digest
-- reads: stg_statement
-- range: all shipments, sent and received; outcome is null while there is no answer
with
statement as (select * from stg_statement),

shipped as (
    select * from statement
    where type = 'shipment'
),

answered as (
    select
        json_extract_string(body, '$.statement') as digest,
        json_extract_string(body, '$.outcome') as outcome,
        json_extract_string(body, '$.code') as code,
        json_extract_string(body, '$.reason') as reason,
        cast(json_extract_string(body, '$.accepted') as bigint) as rows_accepted,
        cast(json_extract_string(body, '$.refused') as bigint) as rows_refused,
        recorded_at as answered_at,
        author as answered_by
    from statement
    where type = 'receipt'
    qualify
        row_number() over (
            partition by json_extract_string(body, '$.statement'), author
            order by seq desc
        ) = 1
)

select
    shipped.digest,
    shipped.shipment_id,
    shipped.direction,
    shipped.author as provider,
    shipped.recipient as consumer,
    json_extract_string(shipped.body, '$.agreement.id') as agreement_id,
    json_extract_string(shipped.body, '$.agreement.version') as agreement_version,
    json_extract_string(shipped.body, '$.agreement.digest') as agreement_digest,
    json_extract_string(shipped.body, '$.kind.name') as kind,
    json_extract_string(shipped.body, '$.kind.version') as kind_version,
    cast(json_extract(shipped.body, '$.purposes') as varchar[]) as purposes,
    json_extract_string(shipped.body, '$.columns[*].name') as columns_shared,
    cast(json_extract_string(shipped.body, '$.period.start') as timestamptz) as period_start,
    cast(json_extract_string(shipped.body, '$.period.end') as timestamptz) as period_end,
    cast(json_extract_string(shipped.body, '$.period.cutOff') as timestamptz) as cut_off_at,
    cast(json_extract_string(shipped.body, '$.rows') as bigint) as rows_shared,
    cast(json_extract_string(shipped.body, '$.stopped.rows') as bigint) as rows_stopped,
    cast(json_extract_string(shipped.body, '$.payload.bytes') as bigint) as payload_bytes,
    shipped.issued_at,
    shipped.recorded_at,
    answered.outcome,
    answered.code,
    answered.reason,
    answered.rows_accepted,
    answered.rows_refused,
    answered.answered_at
from shipped
left join answered
    on
        shipped.digest = answered.digest
        and shipped.recipient = answered.answered_by
order by shipped.recorded_at, shipped.shipment_id
