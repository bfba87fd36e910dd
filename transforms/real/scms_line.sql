-- USAID SCMS delivery history, one line each: readable days as ISO dates, all else as it stood.
-- grain: line
-- reads: scms_file
-- range: all lines; a day that cannot be read keeps its words, so that the judge refuses the row
--        and the refused row shows them
with
file as (select * from scms_file),

picked as (
    select
        id as line,
        "PO / SO #" as order_id,
        "ASN/DN #" as delivery_id,
        country,
        vendor,
        "Item Description" as item,
        "Line Item Quantity" as quantity,
        "Pack Price" as pack_price,
        "PO Sent to Vendor Date" as ordered,
        "Scheduled Delivery Date" as scheduled,
        "Delivered to Client Date" as delivered,
        "Delivery Recorded Date" as recorded
    from file
),

read_days as (
    select
        *,
        try_strptime(scheduled, '%d-%b-%y')::date as scheduled_day,
        try_strptime(delivered, '%d-%b-%y')::date as delivered_day,
        try_strptime(recorded, '%d-%b-%y')::date as recorded_day,
        -- Two styles of one day, both month, day, year. The second (2003-02-11 is 2 March 2011)
        -- is what a spreadsheet made of 3/2/11: read so, all of them lie before their scheduled
        -- day, by 77 days in the middle; read as ISO dates, one in five lies years after it.
        coalesce(
            try_strptime(ordered, '%m/%d/%y'),
            case
                when regexp_matches(ordered, '^20[0-9]{2}-[0-9]{2}-[0-9]{2}$')
                    then try_strptime(substr(ordered, 3), '%m-%d-%y')
            end
        )::date as ordered_day
    from picked
)

select
    line,
    order_id,
    delivery_id,
    country,
    vendor,
    item,
    quantity,
    pack_price,
    ordered_day,
    coalesce(ordered_day, scheduled_day, recorded_day) as order_known_day,
    coalesce(recorded_day, delivered_day, scheduled_day) as delivery_known_day,
    coalesce(strftime(ordered_day, '%Y-%m-%d'), ordered) as ordered_on,
    coalesce(strftime(scheduled_day, '%Y-%m-%d'), scheduled) as requested_date,
    coalesce(strftime(delivered_day, '%Y-%m-%d'), delivered) as arrived_on
from read_days
order by line
