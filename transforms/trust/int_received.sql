-- Goods that we received from a supplier, by delivery, as they were first known.
-- grain: partner, direction, order_id, line, delivery_id
-- reads: int_order_line, stg_delivery
-- range: deliveries that arrived, of lines that we ordered: goods that nobody asked for are invented
--        easily. Where we have no orders at all the delivery names the item
with
delivery as (
    select * from stg_delivery
    where known_at is not null and first_quantity is not null
),

line as (
    select * from int_order_line
    where partner_role = 'supplier'
),

ordering as (
    select distinct
        partner,
        direction
    from int_order_line
)

select
    delivery.partner,
    delivery.direction,
    delivery.order_id,
    delivery.line,
    delivery.delivery_id,
    coalesce(line.item_id, delivery.item_id) as item_id,
    delivery.first_arrived_on as arrived_on,
    delivery.first_quantity as quantity,
    delivery.known_at
from delivery
left join line using (partner, direction, order_id, line)
left join ordering using (partner, direction)
where
    (line.order_id is not null or ordering.partner is null)
    and coalesce(line.item_id, delivery.item_id) is not null
