-- Goods received for an order line: our own record where there is one, else what the partner says.
-- grain: partner, direction, order_id, line, delivery_id
-- reads: landed.delivery, own.delivery, run
-- range: arrived_at <= run.as_of; the newest vintage, since when the arrival is known, and what was
--        first known of it: an outcome that was judged stays as it was. Once we record deliveries of a
--        partner ourselves, its word on further ones is not taken
with
asked as (select as_of from run),

known as (
    select
        *,
        true as is_own
    from own.delivery
    union all by name
    select
        *,
        false as is_own
    from landed.delivery
),

in_time as (
    select
        known.*,
        -- A line that we record ourselves is not also taken from the partner's word.
        max(known.is_own) over (
            partition by known.partner, known.order_id, known.line
        ) as line_is_own,
        min(known.arrived_at) filter (where known.is_own) over (
            partition by known.partner
        ) as recorded_from
    from known
    cross join asked
    where known.arrived_at <= asked.as_of
)

select
    partner,
    'in' as direction,
    order_id,
    line,
    delivery_id,
    bool_or(is_own) as is_own,
    arg_max(item_id, arrived_at) as item_id,
    arg_max(arrived_on, arrived_at) as arrived_on,
    min(arrived_at) filter (where arrived_on is not null) as known_at,
    arg_max(quantity, arrived_at)::double as quantity,
    arg_max(coalesce(accepted_quantity, quantity), arrived_at)::double as accepted_quantity,
    arg_min(arrived_on, arrived_at) as first_arrived_on,
    (arg_min(quantity, arrived_at) filter (where arrived_on is not null))::double as first_quantity
from in_time
where is_own = line_is_own and (is_own or coalesce(arrived_at < recorded_from, true))
group by partner, order_id, line, delivery_id
