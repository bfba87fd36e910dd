-- Order lines as they became known to us, one row a vintage; a cancelled line has quantity zero.
-- grain: partner, direction, order_id, line, known_at, vintage_no
-- reads: landed.order, own.order, run
-- range: known_at <= run.as_of; partner_role says which side of the order the partner is on
with
asked as (select as_of from run),

known as (
    select
        *,
        'buyer' as partner_role
    from landed."order"
    union all by name
    select
        *,
        'supplier' as partner_role
    from own."order"
)

select
    partner,
    'in' as direction,
    order_id,
    line,
    arrived_at as known_at,
    row_number() over (
        partition by partner, order_id, line order by arrived_at, issued_at, shipment_id
    ) as vintage_no,
    partner_role,
    item_id,
    coalesce(ship_to, '') as ship_to,
    case when status = 'cancelled' then 0 else quantity end::double as quantity,
    unit_price::double as unit_price,
    requested_date
from known
cross join asked
where arrived_at <= asked.as_of
