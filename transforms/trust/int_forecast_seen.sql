-- Periods in which a forecast key was alive for a column: ordered, or forecast in it, or not long ago.
-- grain: partner, direction, column_name, period, item_id, ship_to, period_no
-- reads: int_demand_change, measured_by, stg_demand_forecast
-- range: a key stays alive for 13 periods after it was last seen, so a sender that drops the keys
--        it finds hard still owes them; a forecast of zero is an answer, not a sign of life; what is
--        said in one column makes nothing due in another, but a quantity does of its commitment
with
told as (
    select
        partner,
        direction,
        column_name,
        period,
        item_id,
        ship_to,
        case period
            when 'day' then date_diff('day', date '1970-01-05', period_start)
            when 'month' then date_diff('month', date '1970-01-01', period_start)
            else date_diff('week', date '1970-01-05', period_start)
        end as period_no
    from stg_demand_forecast
    where value <> 0
),

ordered as (
    select
        change.partner,
        change.direction,
        measured_by.column_name,
        change.period,
        change.item_id,
        change.ship_to,
        change.period_no
    from int_demand_change as change
    cross join measured_by
    where change.is_new and change.quantity <> 0 and measured_by.kind = 'demand_forecast'
),

seen as (
    select * from told
    union
    select * replace ('commitment' as column_name) from told
    where column_name = 'quantity'
    union
    select * from ordered
),

gap as (
    select
        *,
        least(
            13,
            lead(period_no, 1, period_no + 14) over (
                partition by partner, direction, column_name, period, item_id, ship_to
                order by period_no
            ) - period_no - 1
        ) as silent_periods
    from seen
)

select
    partner,
    direction,
    column_name,
    period,
    item_id,
    ship_to,
    period_no + unnest(range(silent_periods + 1)) as period_no
from gap
