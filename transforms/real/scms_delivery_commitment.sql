-- Scheduled deliveries of SCMS vendors as their promises; all columns as text.
-- grain: order_id, line, commitment_no
-- reads: scms_line, vendor_party
-- range: lines of vendors, not of stock; the file knows one quantity a line, so the promised one is
--        the ordered one; known when the order was sent, else on the scheduled day, too late to help
with
line as (select * from scms_line),

vendor as (select * from vendor_party)

select
    vendor.party,
    line.order_id,
    line.line,
    '1' as commitment_no,
    line.requested_date as promised_date,
    line.quantity as promised_quantity,
    'C62' as unit,
    'confirmed' as status,
    null::varchar as reason,
    'scms' as partner,
    coalesce(line.order_known_day, date '2006-01-01')::timestamp at time zone 'UTC'
    + interval 13 hour as recorded_at
from line
inner join vendor on line.vendor = vendor.name
where not vendor.is_stock
order by recorded_at, line.order_id, line.line
