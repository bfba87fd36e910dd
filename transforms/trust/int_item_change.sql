-- What each order and each delivery added to an item's week, and since when that was known.
-- grain: partner, direction, outcome, change_id
-- reads: int_order_change, int_order_line, stg_delivery
-- range: orders in the week in which they are wanted, deliveries to us in that of their arrival;
--        the sum of quantity over known_at <= t is what was known at t
select
    partner,
    direction,
    'order' as outcome,
    concat_ws('/', order_id, line, vintage_no, is_new) as change_id,
    item_id,
    date_diff('week', date '1970-01-05', requested_date) as week_no,
    quantity,
    known_at
from int_order_change
where requested_date is not null
union all
select
    delivery.partner,
    delivery.direction,
    'delivery' as outcome,
    concat_ws('/', delivery.delivery_id, delivery.order_id, delivery.line) as change_id,
    line.item_id,
    date_diff('week', date '1970-01-05', delivery.arrived_on) as week_no,
    delivery.quantity,
    delivery.known_at
from stg_delivery as delivery
inner join int_order_line as line using (partner, direction, order_id, line)
where delivery.arrived_on is not null and line.partner_role = 'supplier'
