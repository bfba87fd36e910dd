-- Order lines for a partner, each change once.
-- grain: order_id, line
-- reads: source_order, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_order),

asked as (select * from run)

select
    source.order_id,
    source.line,
    source.item_id,
    source.quantity,
    source.unit,
    source.ordered_on,
    source.requested_date,
    source.ship_to,
    source.unit_price,
    source.currency,
    source.status
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.order_id, source.line
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.order_id is null
    or source.line is null
order by source.order_id, source.line, source.recorded_at
