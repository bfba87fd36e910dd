-- Quarantine holds each refused row of each shipment: rows in are rows accepted and rows refused.
-- grain: partner, shipment_id
-- reads: exchange.shipments, quarantine.refused
-- range: all
-- failure: stops
with
shipment as (select * from exchange.shipments),

refused as (select * from quarantine.refused),

counted as (
    select
        partner,
        shipment_id,
        sum(rows_refused) as rows_refused
    from shipment
    group by partner, shipment_id
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
