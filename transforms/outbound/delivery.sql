-- What was delivered between a partner and us, each notice once.
-- grain: delivery_id, order_id, line
-- reads: source_delivery, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_delivery),

asked as (select * from run)

select
    source.delivery_id,
    source.order_id,
    source.line,
    source.item_id,
    source.shipped_on,
    source.arrived_on,
    source.quantity,
    source.accepted_quantity,
    source.unit,
    source.rejection_reason
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.delivery_id, source.order_id, source.line
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.delivery_id is null
    or source.order_id is null
    or source.line is null
order by source.delivery_id, source.order_id, source.line, source.recorded_at
