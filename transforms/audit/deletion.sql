-- What was deleted as agreed, shipment by shipment, as its holder certified it to its provider.
-- grain: digest, shipment_id
-- reads: stg_statement
-- range: certificates sent and received; that one was given is sure, that it is true is its author's
--        word
with
statement as (select * from stg_statement),

certified as (
    select
        * exclude (shipment_id),
        unnest(cast(json_extract(body, '$.shipments') as json[])) as gone
    from statement
    where type = 'deletion'
)

select
    digest,
    json_extract_string(gone, '$.shipmentId') as shipment_id,
    author as deleted_by,
    recipient as provider,
    json_extract_string(body, '$.agreement.id') as agreement_id,
    json_extract_string(body, '$.agreement.version') as agreement_version,
    cast(json_extract_string(gone, '$.rows') as bigint) as rows_deleted,
    cast(json_extract_string(body, '$.deletedAt') as timestamptz) as deleted_at,
    recorded_at as certified_at
from certified
order by certified_at, digest, shipment_id
