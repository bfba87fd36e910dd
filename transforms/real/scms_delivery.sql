-- Deliveries of SCMS vendors, known when they were recorded; all columns as text.
-- grain: delivery_id, order_id, line
-- reads: scms_item, scms_line, vendor_party
-- range: lines of vendors, not of stock; the file has no day of shipping and no inspection (null)
with
line as (select * from scms_line),

item as (select * from scms_item),

vendor as (select * from vendor_party)

select
    vendor.party,
    line.delivery_id,
    line.order_id,
    line.line,
    item.item_id,
    null::varchar as shipped_on,
    line.arrived_on,
    line.quantity,
    null::varchar as accepted_quantity,
    'C62' as unit,
    null::varchar as rejection_reason,
    'scms' as partner,
    coalesce(line.delivery_known_day, date '2006-01-01')::timestamp at time zone 'UTC'
    + interval 14 hour as recorded_at
from line
inner join vendor on line.vendor = vendor.name
left join item on line.item = item.item
where not vendor.is_stock
order by recorded_at, line.delivery_id, line.order_id, line.line
