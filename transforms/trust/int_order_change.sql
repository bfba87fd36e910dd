-- What each vintage of an order line added to a day's demand and took away from another's.
-- grain: partner, direction, order_id, line, vintage_no, is_new
-- reads: stg_order
-- range: as stg_order; the sum of quantity over known_at <= t is the order book as known at t
with
vintage as (select * from stg_order),

followed as (
    select
        *,
        lead(known_at) over (
            partition by partner, direction, order_id, line order by vintage_no
        ) as replaced_at
    from vintage
)

select
    partner,
    direction,
    order_id,
    line,
    vintage_no,
    true as is_new,
    partner_role,
    item_id,
    ship_to,
    requested_date,
    quantity,
    known_at
from followed
union all
select
    partner,
    direction,
    order_id,
    line,
    vintage_no,
    false as is_new,
    partner_role,
    item_id,
    ship_to,
    requested_date,
    -quantity as quantity,
    replaced_at as known_at
from followed
where replaced_at is not null
