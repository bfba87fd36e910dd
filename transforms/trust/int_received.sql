-- Goods that we received from a supplier, by delivery, as they were first known.
-- grain: partner, direction, order_id, line, delivery_id
-- reads: int_order_line, stg_delivery
-- range: deliveries that arrived, of lines that we ordered; the item is the order's, or where we have
--        no such order the delivery's
with
delivery as (
    select * from stg_delivery
    where known_at is not null and first_quantity is not null
),

line as (select * from int_order_line)

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
where
    coalesce(line.partner_role, 'supplier') = 'supplier'
    and coalesce(line.item_id, delivery.item_id) is not null
