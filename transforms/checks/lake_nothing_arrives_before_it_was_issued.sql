-- A shipment that was issued after it arrived: a clock is wrong, theirs or ours.
-- grain: partner, shipment_id
-- reads: exchange.shipments
-- range: all; within ten minutes is no news
-- failure: warns
with
shipment as (select * from exchange.shipments)

select
    partner,
    shipment_id,
    issued_at,
    arrived_at
from shipment
where issued_at > arrived_at + interval 10 minute
order by partner, shipment_id
