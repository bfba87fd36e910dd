-- Quarantine holds each refused row of each shipment: rows in are rows accepted and rows refused.
-- grain: partner, shipment_id
-- reads: exchange.shipments, exchange.deletions, quarantine.refused
-- range: all but shipments that were deleted as agreed, of which nothing may be left
-- failure: stops
with
shipment as (select * from exchange.shipments),

deletion as (select * from exchange.deletions),

refused as (select * from quarantine.refused),

counted as (
    select
        shipment.partner,
        shipment.shipment_id,
        sum(shipment.rows_refused) as rows_refused
    from shipment
    anti join deletion
        on
            shipment.partner = deletion.partner
            and shipment.statement_digest = deletion.statement_digest
    group by shipment.partner, shipment.shipment_id
),

kept as (
    select
        partner,
        shipment_id,
        count(*) as rows_kept
    from refused
    group by partner, shipment_id
)

select
    coalesce(counted.partner, kept.partner) as partner,
    coalesce(counted.shipment_id, kept.shipment_id) as shipment_id,
    counted.rows_refused,
    kept.rows_kept
from counted
full join kept
    on
        counted.partner = kept.partner
        and counted.shipment_id = kept.shipment_id
where coalesce(counted.rows_refused, 0) != coalesce(kept.rows_kept, 0)
order by partner, shipment_id
