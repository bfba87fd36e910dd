-- Which columns went to whom under which agreement: how often, how many rows, first and last.
-- grain: provider, consumer, agreement_id, agreement_version, kind, column_name
-- reads: shipment
-- range: all shipments, sent and received, whatever was answered
with
shipment as (select * from shipment),

shared as (
    select
        * exclude (columns_shared),
        unnest(columns_shared) as column_name
    from shipment
)

select
    provider,
    consumer,
    agreement_id,
    agreement_version,
    kind,
    column_name,
    count(*) as shipments,
    sum(rows_shared) as rows_shared,
    min(issued_at) as first_issued_at,
    max(issued_at) as last_issued_at
from shared
group by provider, consumer, agreement_id, agreement_version, kind, column_name
order by provider, consumer, agreement_id, agreement_version, kind, column_name
