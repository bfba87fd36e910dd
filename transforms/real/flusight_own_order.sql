-- Weekly hospital admissions as the hub's own orders: each value as it was known, when it changed.
-- grain: order_id, line, recorded_at
-- reads: flusight_vintage
-- range: one row for a week's first value and for every revision; the file as of a Saturday was
--        out by the Wednesday after: that day's baseline forecast starts from its last value
with
vintage as (select * from flusight_vintage),

changed as (
    select
        location,
        date,
        as_of,
        value,
        lag(value) over (partition by location, date order by as_of) as value_before
    from vintage
)

select
    location || '.' || strftime(date, '%Y-%m-%d') as order_id,
    1::integer as line,
    location as item_id,
    value::decimal(18, 3) as quantity,
    'C62' as unit,
    date - 5 as ordered_on,
    date as requested_date,
    'hub' as ship_to,
    null::decimal(18, 4) as unit_price,
    null::varchar as currency,
    case when value_before is null then 'placed' else 'changed' end as status,
    (as_of + 4)::timestamp at time zone 'UTC' + interval 12 hour as recorded_at
from changed
where value_before is null or value <> value_before
order by recorded_at, order_id
