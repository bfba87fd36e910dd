-- Order lines that we placed, when each fell due, and since when it was known to have come on time.
-- grain: partner, direction, order_id, line
-- reads: int_order_line, stg_delivery
-- range: lines that were not cancelled before they fell due; on_time_at is null unless all that was
--        still wanted arrived by then, as it was first known
with
line as (
    select
        partner,
        direction,
        order_id,
        line,
        due_on,
        least(ordered_quantity, wanted_quantity) as wanted_quantity
    from int_order_line
    where
        partner_role = 'supplier'
        and ordered_quantity > 0
        and coalesce(cancelled_at > due_on::timestamptz, true)
),

came as (
    select
        line.partner,
        line.direction,
        line.order_id,
        line.line,
        line.wanted_quantity,
        delivery.known_at,
        sum(delivery.first_quantity) over (
            partition by line.partner, line.direction, line.order_id, line.line
            order by delivery.known_at
        ) as quantity
    from line
    inner join stg_delivery as delivery using (partner, direction, order_id, line)
    where delivery.first_arrived_on <= line.due_on
),

whole as (
    select
        partner,
        direction,
        order_id,
        line,
        min(known_at) as on_time_at
    from came
    where quantity >= wanted_quantity
    group by partner, direction, order_id, line
)

select
    line.partner,
    line.direction,
    line.order_id,
    line.line,
    line.due_on,
    whole.on_time_at
from line
left join whole using (partner, direction, order_id, line)
