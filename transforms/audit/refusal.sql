-- What was refused and why: rows by rule, shipments as a whole by code, and by whom.
-- grain: refused_by, shipment_id, digest, rule
-- reads: stg_statement
-- range: all; whole is true where no row was looked at, and a row that breaks two rules counts twice
with
statement as (select * from stg_statement),

stopped as (
    select
        author as refused_by,
        author as provider,
        recipient as consumer,
        shipment_id,
        digest,
        recorded_at as refused_at,
        false as whole,
        unnest(cast(json_extract(body, '$.stopped.reasons') as json[])) as reason
    from statement
    where type = 'shipment'
),

returned as (
    select
        author as refused_by,
        recipient as provider,
        author as consumer,
        json_extract_string(body, '$.shipmentId') as shipment_id,
        digest,
        recorded_at as refused_at,
        false as whole,
        unnest(cast(json_extract(body, '$.reasons') as json[])) as reason
    from statement
    where type = 'receipt'
),

turned_away as (
    select
        author as refused_by,
        recipient as provider,
        author as consumer,
        json_extract_string(body, '$.shipmentId') as shipment_id,
        digest,
        recorded_at as refused_at,
        true as whole,
        json_object(
            'rule', json_extract_string(body, '$.code'),
            'reason', json_extract_string(body, '$.reason'),
            'rows', cast(json_extract_string(body, '$.refused') as bigint)
        ) as reason
    from statement
    where
        type = 'receipt'
        and json_extract_string(body, '$.code') is not null
),

noticed as (
    select
        author as refused_by,
        null as provider,
        recipient as consumer,
        shipment_id,
        digest,
        recorded_at as refused_at,
        true as whole,
        json_object(
            'rule', json_extract_string(body, '$.code'),
            'reason', json_extract_string(body, '$.reason'),
            'rows', null
        ) as reason
    from statement
    where type = 'notice'
),

refused as (
    select * from stopped
    union all
    select * from returned
    union all
    select * from turned_away
    union all
    select * from noticed
)

select
    refused_by,
    provider,
    consumer,
    shipment_id,
    digest,
    whole,
    json_extract_string(reason, '$.rule') as rule,
    json_extract_string(reason, '$.reason') as reason,
    cast(json_extract_string(reason, '$.rows') as bigint) as rows_refused,
    refused_at
from refused
order by refused_at, shipment_id, refused_by, rule
