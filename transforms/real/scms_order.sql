-- Order lines of SCMS to its vendors; all columns as text, to be read and refused by the judge.
-- grain: order_id, line
-- reads: scms_item, scms_line, vendor_party
-- range: all lines, stock ("SCMS from RDC") included; known on the day the order was sent, and
--        without a readable one on the scheduled day: what is unknown helps nobody
with
line as (select * from scms_line),

item as (select * from scms_item),

vendor as (select * from vendor_party)

select
    line.order_id,
    line.line,
    item.item_id,
    line.quantity,
    'C62' as unit,
    line.ordered_on,
    line.requested_date,
    strip_accents(line.country) as ship_to,
    line.pack_price as unit_price,
    'USD' as currency,
    'placed' as status,
    vendor.party as partner,
    coalesce(line.order_known_day, date '2006-01-01')::timestamp at time zone 'UTC'
    + interval 12 hour as recorded_at
from line
inner join vendor on line.vendor = vendor.name
left join item on line.item = item.item
order by recorded_at, line.order_id, line.line
