-- What each promise added to an item's week and took from another, and since when.
-- grain: partner, direction, order_id, line, arrived_at, commitment_no, shipment_id, is_new
-- reads: int_order_line, stg_delivery_commitment
-- range: promises of the partner that came in time; the sum of quantity over known_at <= t is what
--        was promised for the week as known at t
with
promise as (
    select
        *,
        lead(arrived_at) over (
            partition by partner, direction, order_id, line
            order by arrived_at, commitment_no, shipment_id
        ) as replaced_at
    from stg_delivery_commitment
    where promised_by = 'partner' and promised_date is not null and isfinite(arrived_at)
),

changed as (
    select
        *,
        true as is_new,
        arrived_at as known_at,
        1 as sign
    from promise
    union all
    select
        *,
        false as is_new,
        replaced_at as known_at,
        -1 as sign
    from promise
    where replaced_at is not null
)

select
    changed.partner,
    changed.direction,
    changed.order_id,
    changed.line,
    changed.arrived_at,
    changed.commitment_no,
    changed.shipment_id,
    changed.is_new,
    line.item_id,
    date_diff('week', date '1970-01-05', changed.promised_date) as week_no,
    changed.sign * coalesce(changed.promised_quantity, line.ordered_quantity) as quantity,
    changed.known_at
from changed
inner join int_order_line as line using (partner, direction, order_id, line)
