-- Goods that SCMS clients received, as the buyer recorded them, typed; no judge reads them.
-- grain: delivery_id, order_id, line
-- reads: scms_delivery
-- range: as scms_delivery; what cannot be read is null; no inspection: all that came is accepted
with
delivered as (select * from scms_delivery)

select
    delivery_id,
    order_id,
    try_cast(line as integer) as line,
    item_id,
    try_cast(shipped_on as date) as shipped_on,
    try_cast(arrived_on as date) as arrived_on,
    try_cast(quantity as decimal(18, 3)) as quantity,
    try_cast(quantity as decimal(18, 3)) as accepted_quantity,
    unit,
    rejection_reason,
    party as partner,
    recorded_at
from delivered
order by recorded_at, delivery_id, order_id, line
