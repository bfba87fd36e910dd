-- A shipment of a partner landed once.
-- grain: partner, shipment_id
-- reads: exchange.shipments
-- range: all
-- failure: stops
with
shipment as (select * from exchange.shipments)

select
    partner,
    shipment_id,
    count(*) as landings
from shipment
group by partner, shipment_id
having count(*) > 1
order by partner, shipment_id
