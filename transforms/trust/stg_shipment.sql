-- Shipments that landed: which kind and period each covers, when it was here, and whether in time.
-- grain: partner, shipment_id
-- reads: exchange.shipments, run
-- range: arrived_at <= run.as_of; a correction, which is a second shipment of its period, is not
--        late: the first one was due
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
    arrived_at,
    coalesce(arrived_at > cut_off_at, false)
    and not regexp_matches(shipment_id, '\.[0-9]{8}T[0-9]{6}\.([2-9]|[1-9][0-9]+)$') as is_late
from shipment
cross join asked
where arrived_at <= asked.as_of
