-- Shipments that landed: which kind and period each covers, and when it was here.
-- grain: shipment_id
-- reads: exchange.shipments, run
-- range: arrived_at <= run.as_of
with
asked as (select as_of from run),

shipment as (select * from exchange.shipments)

select
    shipment_id,
    partner,
    'in' as direction,
    kind,
    agreement_id,
    period_start,
    period_end,
    cut_off_at,
    arrived_at
from shipment
cross join asked
where arrived_at <= asked.as_of
