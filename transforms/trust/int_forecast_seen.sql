-- Periods in which a forecast key was alive: ordered or forecast in them, or not long before.
-- grain: partner, direction, period, item_id, ship_to, period_no
-- reads: int_demand_change, stg_demand_forecast
-- range: a key stays alive for 13 periods after it was last seen, so a sender that drops the keys
--        it finds hard still owes them; a forecast of zero is an answer, not a sign of life
with
told as (
    select
        partner,
        direction,
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
        partner,
        direction,
        period,
        item_id,
        ship_to,
        period_no
    from int_demand_change
    where is_new and quantity <> 0
),

seen as (
    select * from told
    union
    select * from ordered
),

gap as (
    select
        *,
        least(
            13,
            lead(period_no, 1, period_no + 14) over (
                partition by partner, direction, period, item_id, ship_to order by period_no
            ) - period_no - 1
        ) as silent_periods
    from seen
)

select
    partner,
    direction,
    period,
    item_id,
    ship_to,
    period_no + unnest(range(silent_periods + 1)) as period_no
from gap
